#!/bin/sh
# Follows halide/README.md in a copy of the tree: adds the kernel that the page describes,
# generates, and runs its test at every level. Runs from the repository's root.
#   halide-readme.sh DIRECTORY
set -eu
mkdir -p "$1"
cp -r go.mod go.sum halide deploy "$1/"
mkdir -p "$1/.cache"
[ ! -d .cache/halide ] || cp -rp .cache/halide "$1/.cache/" # what need not be compiled anew
cd "$1"
awk '
/^<!-- (file|append): / { name = $3; append = $2 == "append:"; next }
/^```/ && name != "" && !inside { inside = 1; if (!append) printf "" > name; next }
/^```/ && inside { inside = 0; close(name); name = ""; n++; next }
inside && append { print >> name; next }
inside { print > name }
END { if (n != 8) { print "README.md: " n " files, want 8" > "/dev/stderr"; exit 1 } }
' halide/README.md
make -s -f halide/halide.mk generate
go vet ./halide/...
gofmt -l halide | (! grep .)
go test -c -o invert.test ./halide
for level in 1 2 3 4; do
    echo "level $level"
    (cd halide && HEADWATER_CPU_LEVEL=$level ../invert.test -test.short \
        -test.run 'Invert|Masked|Blur')
done
CGO_ENABLED=0 go test -count=1 -short -run Invert ./halide
