#!/bin/sh
# Lists the files of a commit as records that end in NUL, then an empty record; then answers requests for objects on its
# standard input: `read-commit.sh COMMIT`.
git ls-tree -r -z -l --full-tree "$1" </dev/null || exit
printf '\0'
exec git cat-file --batch
