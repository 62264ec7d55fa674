#!/usr/bin/env bash
# The page's player is mpegts.js, built into the binary from a copy in the tree, so that a clone
# builds with Go alone. This script fetches the package that package-lock.json pins and
#
#   deploy/scripts/player.sh check    compares the copy with it, byte for byte (once per lock file)
#   deploy/scripts/player.sh update   replaces the copy
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
web=$top/cluster/control/web
work=$top/.cache/player
# What is copied: PATH-IN-node_modules:NAME. The player's build contains the other two packages.
files=(
  mpegts.js/dist/mpegts.js:mpegts.js
  mpegts.js/LICENSE:LICENSE
  es6-promise/LICENSE:LICENSE.es6-promise
  events/LICENSE:LICENSE.events
)

case ${1:-} in
  check)
    stamp=$work/checked-$(cat "$web/package-lock.json" "$web"/player/* | sha256sum | cut -c1-16)
    [ ! -e "$stamp" ] || exit 0
    ;;
  update) ;;
  *)
    echo "usage: $0 check|update" >&2
    exit 2
    ;;
esac

rm -rf "$work"
mkdir -p "$work"
cp "$web/package.json" "$web/package-lock.json" "$web/.npmrc" "$work"
npm --prefix "$work" ci --loglevel=error --ignore-scripts --no-audit --no-fund </dev/null

for f in "${files[@]}"; do
  if [ "$1" = update ]; then
    install -m 644 "$work/node_modules/${f%:*}" "$web/player/${f#*:}"
  else
    cmp "$work/node_modules/${f%:*}" "$web/player/${f#*:}"
  fi
done
if [ "$1" = update ]; then
  (cd "$web/player" && sha256sum mpegts.js LICENSE* >SHA256SUMS)
else
  touch "$stamp"
fi
