package config

import (
	"encoding"
	"fmt"
	"math"
	"testing"
	"time"
)

// reading is a text, and how what was read of it is written, or the error.
type reading struct{ text, want string }

// reads holds a type to readings.
func reads(t *testing.T, into encoding.TextUnmarshaler, readings ...reading) {
	t.Helper()
	for _, r := range readings {
		err := into.UnmarshalText([]byte(r.text))
		got := fmt.Sprint(err)
		if err == nil {
			got = writtenAs(into)
		}
		if got != r.want {
			t.Errorf("%T of %q: %q, want %q", into, r.text, got, r.want)
		}
	}
}

func TestDuration(t *testing.T) {
	reads(t, new(Duration), []reading{
		{"0", "0s"},
		{"30s", "30s"},
		{"1500ms", "1.5s"},
		{"90s", "1m30s"},
		{"60m", "1h"},
		{"1h20s", "1h0m20s"},
		{"90m", "1h30m"},
		{"30", "30 has no unit; try 30s"},
		{"-1s", "-1s is below zero; try 30s"},
		{"soon", "soon is not a duration; try 30s"},
		{"", `"" is not a duration; try 30s`},
		{"3 s", "3 s is not a duration; try 30s"},
	}...)
}

func TestSize(t *testing.T) {
	reads(t, new(Size), []reading{
		{"0", "0B"},
		{"512B", "512B"},
		{"2048B", "2KiB"},
		{"256KiB", "256KiB"},
		{"32MiB", "32MiB"},
		{"1536MiB", "1536MiB"},
		{"2GiB", "2GiB"},
		{"1MB", "1000000B"},
		{"1024kB", "1000KiB"},
		{"1GB", "1000000000B"},
		{"4096", "4096 has no unit; try 4096KiB, or 4096B for bytes"},
		{"12 furlongs", "12 furlongs is not a size; try 256KiB"},
		{"1.5MiB", "1.5MiB is not a size; try 256KiB"},
		{"-1KiB", "-1KiB is below zero; try 256KiB"},
		{"8mb", "8mb is not a size: there is no unit mb; try 256KiB"},
		{"KiB", "KiB is not a size; try 256KiB"},
		{"", `"" is not a size; try 256KiB`},
		{"9999999999GiB", "9999999999GiB is more than 8589934591GiB"},
		{"99999999999999999999B", "99999999999999999999B is not a size; try 256KiB"},
	}...)
	if got := Size(math.MaxInt64).String(); got != "9223372036854775807B" {
		t.Error(got)
	}
}

func TestAddress(t *testing.T) {
	reads(t, new(Address), []reading{
		{"", ""},
		{":1935", ":1935"},
		{"127.0.0.1:0", "127.0.0.1:0"},
		{"[::1]:65535", "[::1]:65535"},
		{"localhost:80", "localhost:80"},
		{"1935", "1935 is not an address; try :1935"},
		{"localhost", "localhost is not an address host:port; try :1935"},
		{"::1:80", "::1:80 is not an address host:port; try :1935"},
		{":65536", ":65536: port 65536 is not a number from 0 to 65535"},
		{":http", ":http: port http is not a number from 0 to 65535"},
		{"a:", `a:: port "" is not a number from 0 to 65535`},
	}...)
}

func writtenAs(v encoding.TextUnmarshaler) string {
	switch v := v.(type) {
	case *Address:
		return string(*v)
	case fmt.Stringer:
		return v.String()
	}
	return "?"
}

func TestMergeWindow(t *testing.T) {
	reads(t, new(MergeWindow), []reading{
		{"adaptive", "adaptive"},
		{"0", "0s"},
		{"50ms", "50ms"},
		{"350ms", "350ms"},
		{"351ms", "351ms is out of range; allowed: adaptive, or 0s to 350ms"},
		{"none", "none is not a duration; try 30s, or adaptive"},
	}...)
	if d, ok := Adaptive.Fixed(); ok || d != 0 {
		t.Error(d, ok)
	}
	if d, ok := MergeWindow(50 * time.Millisecond).Fixed(); !ok || d != 50*time.Millisecond {
		t.Error(d, ok)
	}
	if d := Duration(time.Second).Std(); d != time.Second {
		t.Error(d)
	}
}
