#!/bin/sh
# Runs a program so that nothing of it outlives the run: `supervise.sh [PROGRAM] ARGUMENTS`. Settings come by environment:
#   SECU_PROGRAM           the program, where the caller can give arguments alone (simple-git)
#   SECU_LIFELINE          `stdin` or `3`: the pipe that the caller holds open. The kernel closes it even if the caller
#                          was killed; then this script kills the whole session
#   SECU_CONFIG_FD         a descriptor of the caller that the program inherits as descriptor 9
#   SECU_MOUNTS            1: descriptor 4 is an fstab(5) file; the script applies it in its own mount namespace, and the
#                          program gets no capability to undo it. SECU_MOUNTS_FD: the descriptor of the caller
#   SECU_NAMESPACES        options of unshare(1), where the caller cannot start it
#   SECU_MAX_FILE_BLOCKS   512 bytes each       SECU_MAX_CPU_SECONDS   per process
#   SECU_MAX_MEMORY_KIB    of address space     SECU_MAX_PROCESSES     of this user
# The script leads a session of its own, so `kill 0` reaches the program and its children and nothing else.
if [ "$SECU_LIFELINE" = stdin ] && [ "$1" != --session ]; then
  # Nameless files in memory, which cannot be opened from another user namespace: the program inherits the descriptors.
  if [ -n "$SECU_CONFIG_FD" ]; then exec 9<"/proc/$PPID/fd/$SECU_CONFIG_FD" || exit 125; fi
  if [ -n "$SECU_MOUNTS_FD" ]; then exec 4<"/proc/$PPID/fd/$SECU_MOUNTS_FD" || exit 125; fi
  exec setsid ${SECU_NAMESPACES:+unshare $SECU_NAMESPACES --} /bin/sh "$0" --session "$@"
fi
if [ "$1" = --session ]; then shift; fi
trap 'kill -KILL 0' INT TERM HUP
# A lower limit of the machine stays as it is.
limit() { ulimit "$1" "$2" 2>/dev/null || ulimit -H "$1" >/dev/null; }
ulimit -c 0
if [ -n "$SECU_MAX_FILE_BLOCKS" ]; then limit -f "$SECU_MAX_FILE_BLOCKS"; fi
if [ -n "$SECU_MAX_MEMORY_KIB" ]; then limit -v "$SECU_MAX_MEMORY_KIB"; fi
if [ -n "$SECU_MAX_CPU_SECONDS" ]; then limit -t "$SECU_MAX_CPU_SECONDS"; fi
# dash and busybox call it -p, bash -u
if [ -n "$SECU_MAX_PROCESSES" ]; then { ulimit -u "$SECU_MAX_PROCESSES" || ulimit -p "$SECU_MAX_PROCESSES"; } 2>/dev/null; fi
# With the signal ignored, exceeding the file size is an error that the program reports ("File too large").
trap '' XFSZ
if [ -n "$SECU_MOUNTS" ]; then
  mount -n -a -T /proc/self/fd/4 || exit 125
  exec 4<&-
  # the working folder still belongs to the covered file system
  cd "$PWD" || exit 125
fi
if [ "$SECU_LIFELINE" = stdin ]; then exec 3<&0 4</dev/null; else exec 4<&0; fi
exec </dev/null
if [ -n "$SECU_PROGRAM" ]; then set -- "$SECU_PROGRAM" "$@"; fi
if [ -n "$SECU_MOUNTS" ]; then
  set -- setpriv --inh-caps=-all --bounding-set=-all --no-new-privs -- "$@"
fi
isSimpleGit=$SECU_PROGRAM
unset SECU_PROGRAM SECU_LIFELINE SECU_CONFIG_FD SECU_MOUNTS SECU_MOUNTS_FD SECU_NAMESPACES
unset SECU_MAX_FILE_BLOCKS SECU_MAX_MEMORY_KIB SECU_MAX_CPU_SECONDS SECU_MAX_PROCESSES
{
  exec 4<&- 9<&-
  read -r _ <&3
  kill -KILL 0
} >/dev/null 2>&1 &
watcher=$!
exec 3<&-
"$@" <&4 4<&- &
program=$!
exec 4<&-
wait "$program"
status=$?
kill -KILL "$watcher"
# This script reaps orphans where process 1 of the machine does not.
wait "$watcher" 2>/dev/null
# simple-git waits 50 ms longer for a process that wrote nothing.
if [ -n "$isSimpleGit" ]; then echo >&2; fi
exit "$status"
