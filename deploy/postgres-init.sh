#!/bin/sh
# Run once by the postgres image, in an empty data folder. Secu and Temporal each own their databases and cannot read the
# other's, so an attacker with Temporal's account finds no sealed token.
set -eu

make_role() {
  psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set role="$1" --set password="$(cat "/run/secrets/$2")" <<'SQL'
create role :"role" login password :'password';
SQL
}

make_database() {
  psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set name="$1" --set owner="$2" <<'SQL'
create database :"name" owner :"owner";
revoke all on database :"name" from public;
SQL
}

make_role secu secu-db-password
make_role temporal temporal-db-password
make_database secu secu
make_database temporal temporal
make_database temporal_visibility temporal
