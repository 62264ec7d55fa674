#!/usr/bin/env bash
# Runs every fuzz target of the named packages, one after the other, each for FUZZTIME.
#
#   FUZZTIME=1m FUZZFLAGS=-asan deploy/scripts/fuzz.sh ./codec/... ./actors/...
#
# Minimising what is interesting is cut short: by default it takes most of a short run.
set -euo pipefail
time=${FUZZTIME:-1m}
go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@" |
  while read -r package; do
    for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
      echo "== $package $target" >&2
      go test ${FUZZFLAGS:-} -run '^$' -fuzz "^$target\$" -fuzztime "$time" \
        -fuzzminimizetime 100x "$package" </dev/null
    done
  done
