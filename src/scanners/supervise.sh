#!/bin/sh
# Runs a command so that nothing of it outlives the run: `supervise.sh COMMAND ARGUMENTS`. It is started as the leader of
# a session. Descriptor 3 is a pipe that the parent holds open; the kernel ends it even where the parent was killed, and
# then the whole group goes.
ulimit -c 0
{
  read -r _ <&3
  kill -KILL 0
} </dev/null >/dev/null 2>&1 &
watcher=$!
exec 3<&-
"$@"
status=$?
kill -KILL "$watcher"
# Whoever is process 1 here may not collect it.
wait "$watcher" 2>/dev/null
exit "$status"
