#!/bin/sh
# Creates the secrets of docker-compose.yml. Existing files are not changed. Other users cannot open the folder; the
# files in it are readable by all, because each container has its own user.
set -eu
umask 077
folder=${1:-"$(dirname "$0")/../secrets"}
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Usage: keep NAME < text. Writes the whole file or nothing.
keep() {
  if [ -e "$1" ]; then
    cat >/dev/null
    echo "kept  $1"
  else
    cat >"$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
    echo "made  $1"
  fi
}

random_hex 32 | keep postgres-password
random_hex 32 | keep temporal-db-password
random_hex 32 | keep secu-db-password
printf 'postgresql://secu:%s@postgres:5432/secu' "$(cat secu-db-password)" | keep secu-database-url
printf 'k1:%s\n' "$(head -c 32 /dev/urandom | base64 | tr -d '\n')" | keep secu-keys
printf 'secu_%s' "$(random_hex 32)" | keep secu-api-key

echo
echo "Keep a copy of secu-keys apart from this machine and from the database backups. Without it, sealed tokens"
echo "can never be opened again."
