#!/bin/sh
# What a typical script does: clone bare and shallow, run gitleaks, remove the clone; AT_ONCE repositories in parallel.
# fleet-peer.sh FOLDER BASE_URL AT_ONCE GITLEAKS < paths; the header is in GIT_CONFIG_* of the environment.
set -eu
folder=$1 base=$2 at_once=$3 gitleaks=$4
export folder base gitleaks
exec xargs -P "$at_once" -I '{}' sh -c '
  name=$(printf %s "{}" | tr / _)
  git clone -q --bare --depth 1 --single-branch --no-tags "$base/{}.git" "$folder/$name" 2>/dev/null
  "$gitleaks" git "$folder/$name" --no-banner --exit-code 0 -l error -f json -r "$folder/$name.json"
  rm -rf "$folder/$name"
'
