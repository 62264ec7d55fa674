#!/bin/sh
# Installs what the Halide kernels' make targets need, on Debian. Does nothing for what is there.
#   halide-install.sh generate|test|bench
set -eu
case "$1" in
generate) packages="libhalide14-0-dev g++ make binutils-aarch64-linux-gnu" ;;
test) packages="gcc libc6-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user valgrind" ;;
bench) packages="g++ libyuv-dev libopencv-imgproc-dev libavfilter-dev pkg-config" ;;
*)
    echo "usage: $0 generate|test|bench" >&2
    exit 2
    ;;
esac
missing=""
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
# shellcheck disable=SC2086
$sudo apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing
