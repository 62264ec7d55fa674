package config

import (
	"encoding"
	"fmt"
	"math"
	"testing"
	"time"
)

func TestTypes(t *testing.T) {
	var (
		d Duration
		z Size
		a Address
		w MergeWindow
	)
	for _, c := range []struct {
		into   encoding.TextUnmarshaler
		text   string
		string // how it is written, or the error
	}{
		{&d, "0", "0s"},
		{&d, "30s", "30s"},
		{&d, "1500ms", "1.5s"},
		{&d, "90s", "1m30s"},
		{&d, "60m", "1h"},
		{&d, "1h20s", "1h0m20s"},
		{&d, "90m", "1h30m"},
		{&d, "30", "30 has no unit; try 30s"},
		{&d, "-1s", "-1s is below zero; try 30s"},
		{&d, "soon", "soon is not a duration; try 30s"},
		{&d, "", `"" is not a duration; try 30s`},
		{&d, "3 s", "3 s is not a duration; try 30s"},

		{&z, "0", "0B"},
		{&z, "512B", "512B"},
		{&z, "2048B", "2KiB"},
		{&z, "256KiB", "256KiB"},
		{&z, "32MiB", "32MiB"},
		{&z, "1536MiB", "1536MiB"},
		{&z, "2GiB", "2GiB"},
		{&z, "1MB", "1000000B"},
		{&z, "1024kB", "1000KiB"},
		{&z, "1GB", "1000000000B"},
		{&z, "4096", "4096 has no unit; try 4096KiB, or 4096B for bytes"},
		{&z, "12 furlongs", "12 furlongs is not a size; try 256KiB"},
		{&z, "1.5MiB", "1.5MiB is not a size; try 256KiB"},
		{&z, "-1KiB", "-1KiB is below zero; try 256KiB"},
		{&z, "8mb", "8mb is not a size: there is no unit mb; try 256KiB"},
		{&z, "KiB", "KiB is not a size; try 256KiB"},
		{&z, "", `"" is not a size; try 256KiB`},
		{&z, "9999999999GiB", "9999999999GiB is more than 8589934591GiB"},
		{&z, "99999999999999999999B", "99999999999999999999B is not a size; try 256KiB"},

		{&a, "", ""},
		{&a, ":1935", ":1935"},
		{&a, "127.0.0.1:0", "127.0.0.1:0"},
		{&a, "[::1]:65535", "[::1]:65535"},
		{&a, "localhost:80", "localhost:80"},
		{&a, "1935", "1935 is not an address; try :1935"},
		{&a, "localhost", "localhost is not an address host:port; try :1935"},
		{&a, "::1:80", "::1:80 is not an address host:port; try :1935"},
		{&a, ":65536", ":65536: port 65536 is not a number from 0 to 65535"},
		{&a, ":http", ":http: port http is not a number from 0 to 65535"},
		{&a, "a:", `a:: port "" is not a number from 0 to 65535`},

		{&w, "adaptive", "adaptive"},
		{&w, "0", "0s"},
		{&w, "50ms", "50ms"},
		{&w, "350ms", "350ms"},
		{&w, "351ms", "351ms is out of range; allowed: adaptive, or 0s to 350ms"},
		{&w, "none", "none is not a duration; try 30s, or adaptive"},
	} {
		err := c.into.UnmarshalText([]byte(c.text))
		got := fmt.Sprint(err)
		if err == nil {
			got = writtenAs(c.into)
		}
		if got != c.string {
			t.Errorf("%T of %q: %q, want %q", c.into, c.text, got, c.string)
		}
	}
	if got := Size(math.MaxInt64).String(); got != "9223372036854775807B" {
		t.Error(got)
	}
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
