#!/usr/bin/env bash
# Makes the Go code of the control messages between nodes from wire.proto, which is checked in:
#
#   deploy/scripts/proto.sh update   writes it
#   deploy/scripts/proto.sh check    fails if it is not what would be written
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
into=$top/cluster/wire/wirepb
cd "$top"

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
go build -o "$made/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go
protoc --plugin=protoc-gen-go="$made/protoc-gen-go" --proto_path="$into" \
  --go_out="$made" --go_opt=paths=source_relative wire.proto

case ${1:-} in
  update) cp "$made/wire.pb.go" "$into/wire.pb.go" ;;
  check)
    cmp "$made/wire.pb.go" "$into/wire.pb.go" || {
      echo "proto: wire.pb.go is not what wire.proto gives; run deploy/scripts/proto.sh update" >&2
      exit 1
    }
    ;;
  *)
    echo "usage: proto.sh update|check" >&2
    exit 2
    ;;
esac
