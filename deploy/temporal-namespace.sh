#!/bin/sh
# Makes the namespace and the search attributes that Secu uses. Does nothing when they are there already.
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${RETENTION:?}"

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

# A namespace that was made this second is not everywhere yet.
tries=0
until temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
  --name SecuIntegrationId --type Keyword \
  --name SecuStatus --type Keyword \
  --name SecuNextWakeAt --type Datetime; do
  tries=$((tries + 1))
  [ "$tries" -lt 15 ] || exit 1
  sleep 2
done
