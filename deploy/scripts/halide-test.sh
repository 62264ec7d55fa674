#!/bin/sh
# What `make test-halide` does beyond compiling: the oracle at every level of this processor,
# without cgo, on arm64 under qemu, on smaller processors under qemu, under valgrind and with
# instrumented kernels, and the proofs about the build. Runs from the repository's root.
#   halide-test.sh [oracle|arm64|memory|build|readme]...   all by default
#   halide-test.sh quick   short sizes at every level and on arm64, as `make test` does
set -eu
nice="nice -n 15"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kernels=halide/internal/kernels
[ $# -gt 0 ] || set -- oracle arm64 memory build readme

# Runs a test binary and shows its tests; all of its output if one fails.
show='^(---|PASS|.*running on)'
tests() {
    if ! (cd halide && $nice "$@" -test.v >"$work/log" 2>&1); then
        cat "$work/log"
        exit 1
    fi
    grep -E "$show" "$work/log"
}

quick() {
    show='running on'
    $nice go test -c -o "$work/halide.test" ./halide
    for level in 1 2 3 4; do
        echo "== oracle at level $level, short sizes"
        HEADWATER_CPU_LEVEL=$level tests "$work/halide.test" -test.short
    done
    arm64
}

oracle() {
    $nice go vet ./halide/...
    $nice go test -c -o "$work/halide.test" ./halide
    for level in 1 2 3 4; do
        echo "== oracle at level $level"
        HEADWATER_CPU_LEVEL=$level tests "$work/halide.test"
    done
    echo "== without cgo"
    CGO_ENABLED=0 $nice go test -count=1 -short ./halide/...
    echo "== race detector and cgo pointer checks"
    GOEXPERIMENT=cgocheck2 $nice go test -race -count=1 -short ./halide
}

arm64() {
    echo "== arm64 under qemu"
    CC=aarch64-linux-gnu-gcc GOOS=linux GOARCH=arm64 CGO_ENABLED=1 \
        $nice go test -c -o "$work/arm.test" ./halide
    # Threads cost more under qemu; everything else is the whole test at short sizes.
    tests qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/arm.test" -test.short
    echo "== smaller processors: the same binary"
    check "$kernels/kernels_linux_amd64.syso" ""
    for cpu in qemu64 core2duo Nehalem Haswell; do
        printf '%-10s' $cpu
        $nice qemu-x86_64 -cpu $cpu "$work/check" 4 2>/dev/null
    done
    printf '%-10s' host
    "$work/check" 4
}

# Builds the C driver against a kernel object.
check() {
    # shellcheck disable=SC2086
    gcc -O1 -g -Wall -Wextra $2 -o "$work/check" \
        halide/testdata/check/check.c $kernels/*.c "$1" -lm -lpthread -ldl
}

memory() {
    check "$kernels/kernels_linux_amd64.syso" ""
    for level in 1 2 3; do # valgrind knows no AVX-512
        echo "== valgrind at level $level"
        HEADWATER_CPU_LEVEL=$level \
            $nice valgrind -q --leak-check=full --error-exitcode=9 "$work/check" 60
    done
    echo "== kernels and C instrumented by AddressSanitizer"
    mkdir -p "$work/asan"
    $nice make -s -f halide/halide.mk HALIDE_B=.cache/halide-asan HALIDE_OUT="$work/asan" \
        HALIDE_ASAN=-asan "$work/asan/kernels_linux_amd64.syso"
    sanitize="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
    check "$work/asan/kernels_linux_amd64.syso" "$sanitize -fno-sanitize=alignment"
    for level in 1 2 3 4; do
        HEADWATER_CPU_LEVEL=$level $nice "$work/check" 60
    done
}

build() {
    echo "== regeneration from nothing is byte-identical"
    mkdir -p "$work/out"
    TIMEFORMAT="from nothing: %0R s, of the processor %0U + %0S s" $nice bash -c "time \
        make -s -f halide/halide.mk HALIDE_B='$work/build' HALIDE_OUT='$work/out' generate"
    for f in "$work"/out/*; do cmp "$f" "$kernels/$(basename "$f")"; done
    echo "== regeneration is incremental"
    touch halide/generators/match.cpp
    $nice make -s -f halide/halide.mk HALIDE_B="$work/build" HALIDE_OUT="$work/out" generate
    [ "$(find "$work/build/amd64" -name '*.a' -newer "$work/build/gen_match" | wc -l)" = 1 ]
    again=$(make -f halide/halide.mk -n HALIDE_B="$work/build" HALIDE_OUT="$work/out" generate)
    ! echo "$again" | grep -E 'gen_|syso' || exit 1
    echo "== a truncated kernel object fails the build and the tests"
    mkdir -p "$work/tree"
    cp -r go.mod go.sum halide "$work/tree/"
    (
        cd "$work/tree"
        go build ./halide/...
        go test -run TestLevelIsMasked ./halide
        head -c 100000 $kernels/kernels_linux_amd64.syso >cut
        mv cut $kernels/kernels_linux_amd64.syso
        ! go test -c -o "$work/cut.test" ./halide 2>"$work/cut.log" || exit 1
        ! go test -run TestLevelIsMasked ./halide >/dev/null 2>&1 || exit 1
        grep -m 1 -o 'kernels_linux_amd64.syso.*' "$work/cut.log" || tail -n 2 "$work/cut.log"
    )
    echo "== nothing but libc at run time"
    $nice go test -c -o "$work/halide.test" ./halide
    readelf -d "$work/halide.test" | grep NEEDED
    ! readelf -d "$work/halide.test" | grep NEEDED | grep -v -E 'lib(c|m|pthread|dl|resolv)\.so'
    ! readelf -lW "$work/halide.test" | grep GNU_STACK | grep RWE
}

readme() {
    echo "== the README's new kernel"
    $nice deploy/scripts/halide-readme.sh "$work/readme"
}

for part; do $part; done
