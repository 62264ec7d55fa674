// Package wirepb holds what wire.proto declares, as protoc writes it. Only package wire uses it.
package wirepb

//go:generate ../../../deploy/scripts/proto.sh update
