#!/bin/sh
# Runs a program in a file system that holds only the listed mounts: `isolate.sh PROGRAM ARGUMENTS`, as root of a new mount
# namespace. Settings come by environment:
#   SECU_VIEW          an empty folder, which becomes the root folder
#   SECU_VIEW_FOLDERS  folders to create below it, one a line
#   SECU_VIEW_FILES    empty files to create below it, one a line
#   SECU_VIEW_INIT     1: this script is process 1 of a new process namespace; it reaps orphans and ends everything
# Descriptor 4 is the fstab(5) file of the mounts.
set -ef
trap '' INT TERM HUP
cd /
mount -n -t tmpfs -o mode=755,size=1m,nosuid,nodev secu "$SECU_VIEW"
cd "$SECU_VIEW"
IFS='
'
mkdir -p $SECU_VIEW_FOLDERS
for file in $SECU_VIEW_FILES; do : >"$file"; done
unset IFS
mount -n -a -T /proc/self/fd/4
exec 4<&-
# A new process namespace shows only processes of the runner. Without one, the user namespace of each program protects the
# memory of all other processes.
if [ "$SECU_VIEW_INIT" = 1 ]; then
  mount -n -t proc -o nosuid,nodev,noexec proc proc
else
  mount -n --rbind /proc proc
fi
mount -n -o remount,bind,ro,nosuid,nodev "$SECU_VIEW"
pivot_root . machine
umount -n -l /machine
cd /
isInit=$SECU_VIEW_INIT
unset SECU_VIEW SECU_VIEW_FOLDERS SECU_VIEW_FILES SECU_VIEW_INIT
if [ "$isInit" != 1 ]; then exec "$@"; fi
set +e
"$@"
exit
