#!/bin/sh
# Updates Temporal's two databases to the schema of this version of its tools. Does nothing if they are up to date.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal-db-password)
export SQL_PASSWORD

for store in temporal:temporal temporal_visibility:visibility; do
  database=${store%:*}
  schema=${store#*:}
  tool="temporal-sql-tool --plugin postgres12_pgx --endpoint ${POSTGRES_HOST:-postgres} --port ${POSTGRES_PORT:-5432} --user temporal --database $database"
  $tool setup-schema --version 0.0
  $tool update-schema --schema-name "postgresql/v12/$schema"
done
