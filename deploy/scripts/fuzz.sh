#!/usr/bin/env bash
# Runs every fuzz target of the named packages, one after the other, each for FUZZTIME.
#
#   FUZZTIME=1m deploy/scripts/fuzz.sh ./codec/... ./actors/...
set -euo pipefail
time=${FUZZTIME:-1m}
go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@" |
  while read -r package; do
    for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
      echo "== $package $target" >&2
      go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null
    done
  done
