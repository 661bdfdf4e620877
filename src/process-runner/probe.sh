#!/bin/sh
# Prints what it can reach, one word a line, then `complete`: `probe.sh PID NETWORK OTHER_SCAN KEY_PATH...`
#   PID        a process that holds keys
#   NETWORK    the network namespace of the runner
pid=$1 network=$2 other=$3
shift 3
for path in "$@"; do
  if [ -d "$path" ]; then
    if ls "$path" >/dev/null 2>&1; then echo keys; fi
  elif head -c 1 "$path" >/dev/null 2>&1; then
    echo keys
  fi
done
# in its own process namespace the number may belong to a process of this probe
grep -q SECU_IS_PROBE "/proc/$pid/environ" 2>/dev/null
if [ $? = 1 ]; then echo processes; fi
if ls "$other" >/dev/null 2>&1; then echo other_scans; fi
if [ "$(readlink /proc/self/ns/net)" = "$network" ]; then echo network; fi
echo complete
