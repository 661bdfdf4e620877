#!/bin/sh
# Runs git so that nothing of it outlives the run: `supervise.sh ARGUMENTS-OF-GIT`. Wants in its environment
# SECU_GIT_BINARY, SECU_CONFIG_FD (descriptor of its parent) and SECU_MAX_BLOCKS (512 bytes each).
#
# It leads a session of its own, so `kill 0` reaches git and every helper that git starts and nobody else. It does so
# when it is told to stop, and when the pipe that its parent holds open on standard input ends, which the kernel sees
# to even where the parent was killed.
if [ "$1" != --session ]; then exec setsid /bin/sh "$0" --session "$@"; fi
shift
trap 'kill -KILL 0' INT TERM HUP
ulimit -c 0
ulimit -f "$SECU_MAX_BLOCKS"
# Ignored, the limit is an error that git tells ("File too large"); else its helper dies and git says only that it failed.
trap '' XFSZ
# A nameless file in memory: git's children inherit the descriptor.
if [ -n "$SECU_CONFIG_FD" ]; then exec 9<"/proc/$PPID/fd/$SECU_CONFIG_FD" || exit 125; fi
exec 3<&0 </dev/null
{
  exec 9<&-
  read -r _ <&3
  kill -KILL 0
} >/dev/null 2>&1 &
watcher=$!
exec 3<&-
"$SECU_GIT_BINARY" "$@" &
wait $!
status=$?
kill -KILL "$watcher"
wait "$watcher"
# simple-git waits 50 ms longer for a process that never wrote anything.
echo >&2
exit "$status"
