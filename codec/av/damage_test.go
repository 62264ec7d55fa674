//go:build cgo

package av

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/codec/avc"
)

func TestBadUnits(t *testing.T) {
	record, pictures := pattern(t, 64, 64, 3, "-preset ultrafast").video()
	first := pictures[0].data
	annexB := append([]byte{0, 0, 0, 1}, first[4:]...)
	for name, unit := range map[string][]byte{
		"empty":             {},
		"one byte":          {0},
		"cut short":         first[:len(first)-1],
		"a record":          record,
		"Annex B":           annexB,
		"garbage":           []byte("this is not a picture at all"),
		"a bad SPS":         prefixed([]byte{0x67, 100, 0, 30, 0xff}),
		"an empty slice":    prefixed([]byte{0x65}),
		"a slice of zeroes": prefixed(append([]byte{0x65}, make([]byte, 100)...)),
	} {
		d := newDecoder(t, record)
		if err := d.Decode(unit, 0, 0, never(t)); !errors.Is(err, ErrInvalidData) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadRecords(t *testing.T) {
	record, pictures := pattern(t, 64, 64, 3, "-preset ultrafast").video()
	for name, r := range map[string][]byte{
		"none":      nil,
		"short":     record[:5],
		"cut":       record[:len(record)/2],
		"version 0": append([]byte{0}, record[1:]...),
		"garbage":   []byte("\x01garbage that is not a record"),
		"HEVC":      append([]byte{1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93}, make([]byte, 20)...),
	} {
		if _, err := NewDecoder(r, Limits{}); !errors.Is(err, ErrInvalidData) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A record of another stream: damage or nothing, and no crash.
	other, _ := pattern(t, 640, 360, 3, "-preset medium -bf 2").video()
	d := newDecoder(t, other)
	for _, u := range pictures {
		_ = d.Decode(u.data, u.pts, u.dts, func(f *Frame) error { f.Release(); return nil })
	}
}

// TestParameterSetsInStream decodes a stream whose record has none: they come with each IDR
// picture.
func TestParameterSetsInStream(t *testing.T) {
	clip := pattern(t, 64, 64, 6, "-preset ultrafast -g 3")
	record, pictures := clip.video()
	config, err := avc.ParseConfig(record)
	if err != nil {
		t.Fatal(err)
	}
	d := newDecoder(t, []byte{1, 100, 0, 30, 0xff, 0xe0, 0})
	sets := append(prefixed(config.SPS[0]), prefixed(config.PPS[0])...)
	var got []string
	for _, u := range pictures {
		data := u.data
		if avc.HasIDR(data, 4) {
			data = append(slices.Clone(sets), data...)
		}
		err := d.Decode(data, u.pts, u.dts, func(f *Frame) error {
			defer f.Release()
			got = append(got, digest(f))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	same(t, got, expected(t, clip.file))
}

// TestDamage breaks units at random. Nothing crashes, and from the next IDR picture that is whole
// the pictures are exact again.
func TestDamage(t *testing.T) {
	c := pattern(t, 320, 240, 60, "-preset veryfast -bf 0 -g 10 -sc_threshold 0")
	want := expected(t, c.file)
	record, pictures := c.video()
	r := rand.New(rand.NewPCG(4, 1))
	const whole = 40 // a multiple of the GOP
	errs, corrupt := 0, 0
	for range 20 {
		d := newDecoder(t, record)
		for i, u := range pictures {
			data := u.data
			if i < whole && r.IntN(3) == 0 {
				data = mutate(r, data)
			}
			err := d.Decode(data, u.pts, u.dts, func(f *Frame) error {
				defer f.Release()
				if f.Corrupt() {
					corrupt++
				}
				if i >= whole && (f.Corrupt() || digest(f) != want[i]) {
					t.Errorf("frame %d is not exact", i)
				}
				return nil
			})
			if err != nil {
				errs++
			}
			if i >= whole && err != nil {
				t.Errorf("frame %d: %v", i, err)
			}
		}
	}
	t.Logf("%d errors, %d corrupt frames", errs, corrupt)
	if errs == 0 || corrupt == 0 {
		t.Error("damage went unnoticed")
	}
}

// mutate returns a damaged copy.
func mutate(r *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	switch r.IntN(3) {
	case 0:
		return b[:r.IntN(len(b))]
	case 1:
		for range 1 + r.IntN(20) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
	default:
		from := r.IntN(len(b))
		for i := from; i < min(len(b), from+r.IntN(64)); i++ {
			b[i] = byte(r.Uint32())
		}
	}
	return b
}
