#!/bin/sh
# Makes the secrets that docker-compose.yml names, each once: what is there already is left alone. The folder is closed
# to others; the files in it can be read by all, because each container has a user of its own.
set -eu
umask 077
folder=${1:-"$(dirname "$0")/../secrets"}
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# NAME, then the text on standard input: written whole or not at all.
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
echo "Keep a copy of secu-keys apart from this machine and from the backups of the database: without it no sealed token"
echo "can ever be opened again."
