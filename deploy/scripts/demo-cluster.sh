#!/usr/bin/env bash
# Shows a cluster on this machine: two origins and two edges that find each other by the etcd in
# edge-1, a publisher of the demo broadcast that knows both origins, and a viewer on each edge. It
# prints the tree of each node and what the cluster says of itself, kills the origin that has the
# broadcast, and shows that the viewers go on, on the connections that they have, and who took over.
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

# Each node has a port for RTMP and HTTP; links and control messages find their own.
declare -A base=([origin-1]=$port [origin-2]=$((port + 10)) [edge-1]=$((port + 20))
  [edge-2]=$((port + 30)))
rtmp() { echo "127.0.0.1:${base[$1]}"; }
http() { echo "127.0.0.1:$((base[$1] + 1))"; }
etcd=127.0.0.1:$((port + 40))

node() {
  local name=$1
  shift
  "$headwater" run --node.name "$name" --rtmp.listen "$(rtmp "$name")" \
    --http.listen "$(http "$name")" --node.advertise 127.0.0.1 "$@" >"$dir/$name.log" 2>&1 &
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
members() { [ "$("$headwater" nodes --url "http://$(http "$1")" | grep -c ready)" = "$2" ]; }
size() { stat -c %s "$dir/$1.flv" 2>/dev/null || echo 0; }
grows() { [ "$(size "$1")" -gt "$2" ]; }
watches() { kill -0 "${pids[viewer-$1]}" 2>/dev/null; }
# carries EDGE NODE ROLE: whether the cluster says that a node has the broadcast in a role.
carries() {
  curl -sf "http://$(http "$1")/v1/broadcasts" |
    grep -q "\"key\":\"live/demo\"[^}]*\"node\":\"$2\",\"role\":\"$3\""
}

trees() {
  for name in "$@"; do
    echo
    echo "== $name"
    "$headwater" tree --url "http://$(http "$name")"
  done
}

say() {
  echo
  echo "== headwater $1"
  "$headwater" "$1" --url "http://$(http edge-2)"
}

node edge-1 --node.roles edge --cluster.etcd embed --cluster.embed-listen "$etcd" \
  --cluster.embed-peer "127.0.0.1:$((port + 41))" --cluster.embed-dir "$dir/etcd"
until_true 20 "edge-1 is ready" ready edge-1
for name in origin-1 origin-2; do node "$name" --node.roles origin --cluster.etcd "http://$etcd"; done
node edge-2 --node.roles edge --cluster.etcd "http://$etcd"
for name in "${!base[@]}"; do until_true 20 "$name is ready" ready "$name"; done
for name in "${!base[@]}"; do until_true 20 "$name knows all nodes" members "$name" 4; done

"$headwater" publish "$(rtmp origin-1)" "$(rtmp origin-2)" >"$dir/publisher.log" 2>&1 &
pids[publisher]=$!
for name in edge-1 edge-2; do
  curl -sN "http://$(http "$name")/live/demo.flv" -o "$dir/$name.flv" &
  pids[viewer-$name]=$!
done
for name in edge-1 edge-2; do until_true 20 "a viewer of $name sees it" grows "$name" 100000; done
until_true 20 "the broadcast has a standby" carries edge-2 origin-2 standby
trees origin-1 origin-2 edge-1 edge-2
say nodes
say ls

carries edge-2 origin-1 active || fail "origin-1 does not have the broadcast"
echo
echo "== kill -9 origin-1, which has the broadcast"
kill -9 "${pids[origin-1]}"
wait "${pids[origin-1]}" 2>/dev/null || true
unset "pids[origin-1]"
until_true 20 "origin-2 has the broadcast" carries edge-2 origin-2 active
echo "origin-2, which was the standby, has the broadcast now"
for name in edge-1 edge-2; do
  seen=$(size "$name")
  until_true 20 "the viewer of $name goes on" grows "$name" $((seen + 100000))
  watches "$name" || fail "the viewer of $name was disconnected"
  echo "the viewer of $name goes on, on the same connection: $(size "$name") bytes so far"
done
until_true 20 "origin-1 is gone from the list" members edge-2 3
say nodes
say ls
