package av

import (
	"encoding/hex"
	"errors"
	"testing"
)

// A record of 1920x1080, High, by libx264, and one of 4:2:2.
const (
	highRecord = "01640028ffe1001967640028acd940780227e5c04400000fa40003a9803c60c658" +
		"01000668ebe3cb22c0fdf8f800"
	wideRecord = "017a001effe1001a677a001ebcd940a02ff89c0440000003004000000c83c58b6580" +
		"01000668ebe3cb22c0fef8f800"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGuard holds without cgo too: what is refused never reaches libav.
func TestGuard(t *testing.T) {
	high, wide := unhex(t, highRecord), unhex(t, wideRecord)
	sps := append([]byte{0, 0, 0, 0x19}, high[8:8+0x19]...)
	bad := append([]byte{0, 0, 0, 0x1a}, wide[8:8+0x1a]...)
	slice := []byte{0, 0, 0, 2, 0x41, 0x9a}
	g := guard{limits: Limits{}.orDefault()}
	if err := g.record("test", high); err != nil {
		t.Fatal(err)
	}
	join := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	for _, step := range []struct {
		name string
		unit []byte
		want error
	}{
		{"a slice", slice, nil},
		{"a known SPS", join(sps, slice), nil},
		{"nothing", nil, ErrInvalidData},
		{"a record", high, ErrInvalidData},
		{"a length too long", slice[:5], ErrInvalidData},
		{"a start code", []byte{0, 0, 0, 1, 0x65, 1, 2, 3, 4}, ErrInvalidData},
		{"too much", make([]byte, maxUnit+1), ErrLimit},
		{"4:2:2", join(bad, slice), ErrFormat},
		{"what follows it", slice, ErrFormat},
		{"4:2:2 and a good one", join(bad, sps, slice), ErrFormat},
		{"a good one", join(sps, slice), nil},
		{"what follows that", slice, nil},
	} {
		if err := g.unit("test", step.unit); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
	unit := join(sps, slice)
	if n := testing.AllocsPerRun(10, func() { _ = g.unit("test", unit) }); n != 0 {
		t.Errorf("%g allocations a unit", n)
	}
}
