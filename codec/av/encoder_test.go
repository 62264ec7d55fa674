//go:build cgo

package av

import (
	"errors"
	"math"
	"testing"

	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/media"
)

func TestEncoderOptions(t *testing.T) {
	good := EncoderOptions{Width: 64, Height: 48, Bitrate: 200_000}
	for name, change := range map[string]func(*EncoderOptions){
		"odd width":   func(o *EncoderOptions) { o.Width = 65 },
		"odd height":  func(o *EncoderOptions) { o.Height = 47 },
		"1x1":         func(o *EncoderOptions) { o.Width, o.Height = 1, 1 },
		"no size":     func(o *EncoderOptions) { o.Width = 0 },
		"negative":    func(o *EncoderOptions) { o.Height = -2 },
		"wide":        func(o *EncoderOptions) { o.Width = 4098 },
		"no bit rate": func(o *EncoderOptions) { o.Bitrate = 0 },
		"bit rate":    func(o *EncoderOptions) { o.Bitrate = math.MaxInt },
		"NaN":         func(o *EncoderOptions) { o.FPS = math.NaN() },
		"slow":        func(o *EncoderOptions) { o.FPS = 0.5 },
		"fast":        func(o *EncoderOptions) { o.FPS = math.Inf(1) },
		"GOP":         func(o *EncoderOptions) { o.GOP = -1 },
		"preset":      func(o *EncoderOptions) { o.Preset = "no such" },
	} {
		o := good
		change(&o)
		if _, err := NewEncoder(o); !errors.Is(err, ErrOption) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEncodeSizes takes the smallest size, and refuses frames of any size but the encoder's:
// libx264 would read outside of a lower one.
func TestEncodeSizes(t *testing.T) {
	for _, size := range [][2]int{
		{minEncodedSide, minEncodedSide}, {minEncodedSide, 64}, {66, 50},
	} {
		e := newEncoder(t, EncoderOptions{Width: size[0], Height: size[1], Bitrate: 100_000})
		p, err := e.Encode(blank(t, size[0], size[1]), 0, false)
		if err != nil || !p.IDR {
			t.Errorf("%v: IDR %v, %v", size, p.IDR, err)
		}
		for _, other := range [][2]int{
			{size[0], size[1] - 1}, {size[0] - 1, size[1]}, {size[1] + 2, size[0]}, {1, 1}, {4000, 4000},
		} {
			_, err := e.Encode(blank(t, other[0], other[1]), 1, false)
			if !errors.Is(err, ErrFormat) {
				t.Errorf("%v into %v: %v", other, size, err)
			}
		}
		if p, err := e.Encode(blank(t, size[0], size[1]), 2, false); err != nil || p.IDR {
			t.Errorf("%v goes on: IDR %v, %v", size, p.IDR, err)
		}
	}
}

func TestGOP(t *testing.T) {
	src := frames(t, pattern(t, 320, 240, 60, "-preset veryfast -bf 0"), 60)
	for _, c := range []struct {
		gop   int
		asked map[int]bool
		want  []int
	}{
		{0, nil, []int{0}},
		{0, map[int]bool{1: true, 2: true, 40: true}, []int{0, 1, 2, 40}},
		{20, nil, []int{0, 20, 40}},
		{20, map[int]bool{15: true}, []int{0, 15, 35, 55}}, // counted from the last
	} {
		e := newEncoder(t, EncoderOptions{Width: 320, Height: 240, Bitrate: 400_000, GOP: c.gop})
		var got []int
		for i, f := range src {
			p, err := e.Encode(f, media.Time(i), c.asked[i])
			must(t, err)
			if p.IDR != avc.HasIDR(p.Data, 4) {
				t.Errorf("frame %d: IDR %v", i, p.IDR)
			}
			if p.IDR {
				got = append(got, i)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("GOP %d, asked %v: IDR at %v, want %v", c.gop, c.asked, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("GOP %d, asked %v: IDR at %v, want %v", c.gop, c.asked, got, c.want)
			}
		}
	}
}

// TestSetBitrate measures the rate before and after, without an IDR picture between.
func TestSetBitrate(t *testing.T) {
	src := frames(t, pattern(t, 320, 240, 60, "-preset veryfast -bf 0"), 60)
	e := newEncoder(t, EncoderOptions{Width: 320, Height: 240, Bitrate: 900_000})
	rate := func(bps int) int {
		must(t, e.SetBitrate(bps))
		bits := 0
		for i := range 240 {
			p, err := e.Encode(src[i%60], media.Time(i), false)
			must(t, err)
			if i >= 120 { // once the buffer has drained
				bits += 8 * len(p.Data)
			}
			if p.IDR && i > 0 {
				t.Errorf("an IDR picture at %d", i)
			}
		}
		return bits * 30 / 120
	}
	high, low, again := rate(900_000), rate(300_000), rate(900_000)
	t.Logf("%d, %d, %d bits/s", high, low, again)
	if low > 330_000 || high < 800_000 || again < 2*low || max(high, again) > 990_000 {
		t.Errorf("rates of %d, %d, %d bits/s", high, low, again)
	}
	if err := e.SetBitrate(0); !errors.Is(err, ErrOption) {
		t.Errorf("no rate: %v", err)
	}
}

// TestDisplay takes what a stream says of its colours and pixels through an encoder.
func TestDisplay(t *testing.T) {
	for name, c := range map[string]struct {
		encoder string
		want    Display
	}{
		"square pixels": {"", Display{AspectWidth: 1, AspectHeight: 1}},
		"HD": {
			"-color_range tv -color_primaries bt709 -color_trc bt709 -colorspace bt709 -aspect 4:3",
			Display{Primaries: 1, Transfer: 1, Matrix: 1, AspectWidth: 4, AspectHeight: 3},
		},
		"full": {
			"-color_range pc -colorspace smpte170m -aspect 16:9",
			Display{Full: true, Matrix: 6, AspectWidth: 16, AspectHeight: 9},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := frames(t, pattern(t, 64, 64, 2, "-preset ultrafast "+c.encoder), 1)[0]
			if f.Display() != c.want {
				t.Fatalf("decoded %+v, want %+v", f.Display(), c.want)
			}
			if got := encodedDisplay(t, f, c.want); got != c.want {
				t.Errorf("encoded %+v, want %+v", got, c.want)
			}
		})
	}
	if got := encodedDisplay(t, blank(t, 64, 64), Display{}); got != (Display{}) {
		t.Errorf("encoded %+v, want nothing", got)
	}
}

// encodedDisplay encodes a frame of 64x64 and returns what the stream says of it.
func encodedDisplay(t testing.TB, f *Frame, d Display) (got Display) {
	t.Helper()
	e := newEncoder(t, EncoderOptions{Width: 64, Height: 64, Bitrate: 200_000, Display: d})
	p, err := e.Encode(f, 0, true)
	must(t, err)
	must(t, newDecoder(t, e.Record()).Decode(p.Data, 0, 0, func(g *Frame) error {
		defer g.Release()
		got = g.Display()
		return nil
	}))
	return got
}

// newEncoder returns an encoder that the test closes.
func newEncoder(t testing.TB, o EncoderOptions) Encoder {
	t.Helper()
	e, err := NewEncoder(o)
	must(t, err)
	t.Cleanup(e.Close)
	return e
}

// blank is a black frame that the test releases.
func blank(t testing.TB, width, height int) *Frame {
	t.Helper()
	if width < 1 {
		width = 1
	}
	p, err := NewPool(width, max(1, height), 1)
	must(t, err)
	f, err := p.Get()
	must(t, err)
	p.Close()
	t.Cleanup(f.Release)
	return f
}
