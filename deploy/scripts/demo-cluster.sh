#!/usr/bin/env bash
# Shows a cluster on this machine: two origins, two edges that follow both, a publisher of the demo
# broadcast that knows both origins, and a viewer on each edge. It prints the tree of each node,
# kills the origin that has the broadcast, and shows that the viewers go on, on the connections that
# they have.
#
#   deploy/scripts/demo-cluster.sh [HEADWATER]
#
# All listens on loopback, on ports from HEADWATER_DEMO_PORT (19350) on.
set -euo pipefail
headwater=${1:-bin/headwater}
port=${HEADWATER_DEMO_PORT:-19350}
dir=$(mktemp -d)
declare -A pids

cleanup() {
  for name in "${!pids[@]}"; do kill "${pids[$name]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT

fail() {
  echo "demo-cluster: $*" >&2
  tail -n 20 "$dir"/*.log >&2
  exit 1
}

# Each node has a port for RTMP, HTTP and links.
declare -A base=([origin-1]=$port [origin-2]=$((port + 10)) [edge-1]=$((port + 20))
  [edge-2]=$((port + 30)))
rtmp() { echo "127.0.0.1:${base[$1]}"; }
http() { echo "127.0.0.1:$((base[$1] + 1))"; }
link() { echo "127.0.0.1:$((base[$1] + 2))"; }

node() {
  local name=$1
  shift
  "$headwater" run --node.name "$name" --rtmp.listen "$(rtmp "$name")" \
    --http.listen "$(http "$name")" "$@" >"$dir/$name.log" 2>&1 &
  pids[$name]=$!
}

# until_true SECONDS WHAT COMMAND...
until_true() {
  local tries=$(($1 * 10)) what=$2
  shift 2
  until "$@"; do
    ((tries-- > 0)) || fail "still not: $what"
    sleep 0.1
  done
}

ready() { curl -sf "http://$(http "$1")/readyz" >/dev/null; }
has_links() {
  curl -sf "http://$(http "$1")/metrics" | grep -q "^headwater_links{side=\"edge\"} $2\$"
}
size() { stat -c %s "$dir/$1.flv" 2>/dev/null || echo 0; }
grows() { [ "$(size "$1")" -gt "$2" ]; }
watches() { kill -0 "${pids[viewer-$1]}" 2>/dev/null; }
carries() { curl -sf "http://$(http "$1")/v1/broadcasts" | grep -q '"live/demo"'; }

trees() {
  for name in "$@"; do
    echo
    echo "== $name"
    "$headwater" tree --url "http://$(http "$name")"
  done
}

origins="origin-1=$(link origin-1),origin-2=$(link origin-2)"
for name in origin-1 origin-2; do node "$name" --link.listen "$(link "$name")"; done
for name in edge-1 edge-2; do node "$name" --link.origins "$origins"; done
for name in "${!base[@]}"; do until_true 20 "$name is ready" ready "$name"; done
for name in edge-1 edge-2; do until_true 20 "$name has its links" has_links "$name" 2; done

"$headwater" publish "$(rtmp origin-1)" "$(rtmp origin-2)" >"$dir/publisher.log" 2>&1 &
pids[publisher]=$!
for name in edge-1 edge-2; do
  curl -sN "http://$(http "$name")/live/demo.flv" -o "$dir/$name.flv" &
  pids[viewer-$name]=$!
done
for name in edge-1 edge-2; do until_true 20 "a viewer of $name sees it" grows "$name" 100000; done
trees origin-1 origin-2 edge-1 edge-2

carries origin-1 || fail "origin-1 does not have the broadcast"
echo
echo "== kill -9 origin-1, which has the broadcast"
kill -9 "${pids[origin-1]}"
wait "${pids[origin-1]}" 2>/dev/null || true
unset "pids[origin-1]"
until_true 20 "the publisher has gone to origin-2" carries origin-2
for name in edge-1 edge-2; do
  seen=$(size "$name")
  until_true 20 "the viewer of $name goes on" grows "$name" $((seen + 100000))
  watches "$name" || fail "the viewer of $name was disconnected"
  echo "the viewer of $name goes on, on the same connection: $(size "$name") bytes so far"
done
trees origin-2 edge-1
