#!/usr/bin/env bash
# Installs what is missing of the Debian packages in the named lists, as root or by sudo:
#
#   deploy/scripts/setup.sh test bench
#
# Done means done: with everything there it looks up a few commands and ends in milliseconds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

present() { # present COMMAND-OR-FILE
  case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ] ;;
  esac
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "setup: neither root nor sudo; run as root: $*" >&2
    exit 1
  fi
}

missing=()
for list in "$@"; do
  while read -r package shows _; do
    case $package in '' | '#'*) continue ;; esac
    present "$shows" || missing+=("$package")
  done <"$here/$list.apt"
done

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || {
    echo "setup: no apt-get here; install by hand what gives: ${missing[*]}" >&2
    exit 1
  }
  echo "setup: installing ${missing[*]}" >&2
  as_root apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install "${missing[@]}" >&2
fi
