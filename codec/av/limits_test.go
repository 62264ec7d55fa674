//go:build cgo

package av

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/avc"
)

// bits writes what an SPS is made of.
type bits struct {
	b []byte
	n int
}

func (w *bits) put(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

func (w *bits) golomb(v uint32) {
	n := 0
	for (v+1)>>(n+1) > 0 {
		n++
	}
	w.put(0, n)
	w.put(v+1, n+1)
}

// absurd is the record of a Main profile stream of so many macroblocks, cropped by so many pairs of
// pixels on the right and below.
func absurd(t testing.TB, mbWidth, mbHeight, cropX, cropY uint32) []byte {
	t.Helper()
	w := &bits{b: []byte{0x67, 77, 0, 52}, n: 32}
	for _, v := range []uint32{0, 0, 2, 1} { // id, frame num, POC type, reference frames
		w.golomb(v)
	}
	w.put(0, 1)
	w.golomb(mbWidth - 1)
	w.golomb(mbHeight - 1)
	w.put(0b111, 3) // frames only, direct 8x8, cropping
	for _, v := range []uint32{0, cropX, 0, cropY} {
		w.golomb(v)
	}
	w.put(0b01, 2) // no VUI, stop bit
	c, err := avc.NewConfig(escape(w.b), []byte{0x68, 0xee, 0x3c, 0x80})
	if err != nil {
		t.Fatal(err)
	}
	record, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// escape adds the emulation prevention bytes.
func escape(nalu []byte) []byte {
	var out []byte
	zeros := 0
	for _, b := range nalu {
		if zeros >= 2 && b <= 3 {
			out = append(out, 3)
			zeros = 0
		}
		zeros++
		if b != 0 {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

func TestAbsurdSizes(t *testing.T) {
	for _, c := range []struct {
		w, h, cropX, cropY uint32
		want               error
	}{
		{45, 80, 0, 0, nil},
		{256, 144, 0, 0, nil},
		{120, 68, 0, 4, nil},
		{257, 16, 0, 0, ErrLimit},
		{16, 257, 0, 0, ErrLimit},
		{256, 256, 0, 0, ErrLimit},
		{1024, 1024, 0, 0, ErrLimit},
		// A picture of 16x16 of which a decoder allocates a gigabyte.
		{1024, 1024, 8 * 1023, 8 * 1023, ErrLimit},
		{120, 68, 33, 0, ErrLimit},
	} {
		record := absurd(t, c.w, c.h, c.cropX, c.cropY)
		d, err := NewDecoder(record, Limits{})
		if !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil {
			d.Close()
		}
	}
}

func TestLimits(t *testing.T) {
	record, pictures := pattern(t, 640, 360, 3, "-preset ultrafast").video()
	for _, c := range []struct {
		l    Limits
		want error
	}{
		{Limits{Width: 640, Height: 360, Pixels: 640 * 360}, nil},
		{Limits{Width: 639}, ErrLimit},
		{Limits{Height: 359}, ErrLimit},
		{Limits{Pixels: 640*360 - 1}, ErrLimit},
	} {
		d, err := NewDecoder(record, c.l)
		if !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.l, err)
		}
		if err != nil {
			continue
		}
		n := 0
		for _, u := range pictures {
			err := d.Decode(u.data, u.pts, u.dts, func(f *Frame) error { n++; f.Release(); return nil })
			if err != nil {
				t.Error(err)
			}
		}
		if n != len(pictures) {
			t.Errorf("%d frames of %d", n, len(pictures))
		}
		d.Close()
	}
}

// TestFormats refuses what is not 4:2:0 of 8 bits, by the header and by parameter sets in the
// stream.
func TestFormats(t *testing.T) {
	good, _ := pattern(t, 64, 64, 3, "-preset ultrafast").video()
	for _, f := range []struct{ format, says string }{
		{"yuv420p10le", "4:2:0 of 10 bits"},
		{"yuv422p", "4:2:2 of 8 bits"},
		{"yuv444p", "4:4:4 of 8 bits"},
		{"gray", "monochrome of 8 bits"},
	} {
		t.Run(f.format, func(t *testing.T) {
			record, pictures := makeClip(t, fmt.Sprintf("-f lavfi -i testsrc2=s=64x64 -frames:v 3 "+
				"-c:v libx264 -pix_fmt %s", f.format)).video()
			_, err := NewDecoder(record, Limits{})
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), f.says) {
				t.Errorf("NewDecoder: %v", err)
			}
			d := newDecoder(t, good)
			config, err := avc.ParseConfig(record)
			if err != nil {
				t.Fatal(err)
			}
			hidden := append(prefixed(config.SPS[0]), prefixed(config.PPS[0])...)
			hidden = append(hidden, pictures[0].data...)
			for range 2 {
				if err := d.Decode(hidden, 0, 0, never(t)); !errors.Is(err, ErrFormat) {
					t.Errorf("in the stream: %v", err)
				}
			}
		})
	}
}

// TestRefusalHolds decodes nothing by parameter sets that were refused, until good ones come.
func TestRefusalHolds(t *testing.T) {
	small, pictures := pattern(t, 64, 64, 3, "-preset ultrafast").video()
	large, _ := pattern(t, 640, 360, 3, "-preset ultrafast").video()
	d, err := NewDecoder(small, Limits{Width: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Configure(large); !errors.Is(err, ErrLimit) {
		t.Fatal(err)
	}
	if err := d.Decode(pictures[0].data, 0, 0, never(t)); !errors.Is(err, ErrLimit) {
		t.Errorf("after a refused header: %v", err)
	}
	if err := d.Configure(small); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = d.Decode(pictures[0].data, 0, 0, func(f *Frame) error { n++; f.Release(); return nil })
	if err != nil || n != 1 {
		t.Errorf("after a good header: %d frames, %v", n, err)
	}
}

// prefixed puts a length in front of a NAL unit.
func prefixed(nalu []byte) []byte {
	n := len(nalu)
	return append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, nalu...)
}

// never is for frames that must not come.
func never(t testing.TB) func(*Frame) error {
	return func(f *Frame) error {
		t.Errorf("a frame came out")
		f.Release()
		return nil
	}
}

// newDecoder returns a decoder that the test closes.
func newDecoder(t testing.TB, record []byte) *Decoder {
	t.Helper()
	d, err := NewDecoder(record, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
