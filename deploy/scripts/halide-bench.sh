#!/bin/sh
# Measures every kernel and its peers, and prints the table of docs/performance-halide.md. Times are
# the least processor time of a thread over interleaved rounds and PASSES passes (3), in
# microseconds. Runs from the repository's root.
set -eu
nice="nice -n 15"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build() { # GOAMD64
    GOAMD64=$1 $nice go test -c -tags peers -o "$work/table.$1" ./halide
}
run() { # name, GOAMD64, HEADWATER_CPU_LEVEL, HEADWATER_TABLE
    HEADWATER_CPU_LEVEL=$3 HEADWATER_TABLE=$4 $nice "$work/table.$2" -test.run TestTable |
        sed -n "s/^table/$1/p" >>"$work/all"
}
for v in v1 v2 v3; do build $v; done
for _ in $(seq "${PASSES:-3}"); do
    run v4 v3 4 all
    run v3 v3 3 kernels
    run v2 v2 2 kernels
    run v1 v1 1 kernels
done
# The least of all passes.
awk -F'\t' -v OFS='\t' '
{
    k = $1 FS $2 FS $3
    if (!(k in us)) order[++n] = k
    if (!(k in us) || $4 < us[k]) { us[k] = $4; rate[k] = $5 }
}
END { for (i = 1; i <= n; i++) print order[i], us[order[i]], rate[order[i]] }
' "$work/all" >"$work/least"
awk -F'\t' '
{
    job = $2
    if (!(job in seen)) { seen[job] = 1; order[++jobs] = job }
    if ($3 == "halide") { us[job, $1] = $4; if ($1 == "v4") rate[job] = $5 }
    else if ($3 == "go") { go[job, $1] = $4 }
    else if ($1 == "v4") {
        if ($3 == "gcc") gcc[job] = $4
        else peers[job] = peers[job] (peers[job] ? ", " : "") $3 " " $4
    }
}
function f(x) { return x == "" ? "-" : x < 10 ? sprintf("%.2f", x) : sprintf("%.0f", x) }
END {
    print "| job | v1 | v2 | v3 | v4 | GB/s at v4 | Go v1 | Go v2 | Go v3 | gcc native | peers |"
    print "|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= jobs; i++) {
        j = order[i]
        printf "| %s | %s | %s | %s | **%s** | %s | %s | %s | %s | %s | %s |\n", j, f(us[j, "v1"]),
            f(us[j, "v2"]), f(us[j, "v3"]), f(us[j, "v4"]), rate[j], f(go[j, "v1"]), f(go[j, "v2"]),
            f(go[j, "v3"]), f(gcc[j]), peers[j] == "" ? "-" : peers[j]
    }
}' "$work/least"
echo
go test -count=1 -run '^$' -bench Workers -benchtime 3x ./halide | grep -E 'Workers|cpu:'
