//go:build cgo

package av

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// TestClosed closes everything twice, and finds that a closed codec says so and nothing is left.
func TestClosed(t *testing.T) {
	before := live()
	clip := makeClip(t, "-i "+real+" -c copy -t 1")
	record, pictures := clip.video()
	config, sound := clip.sound()
	d, err := NewDecoder(record, Limits{})
	must(t, err)
	e, err := NewEncoder(EncoderOptions{Width: 64, Height: 64, Bitrate: 100_000})
	must(t, err)
	a, err := NewAACDecoder(config)
	must(t, err)
	ae, err := NewAACEncoder(48000, 2, 128_000)
	must(t, err)
	o, err := NewOpusEncoder(48000, 2, 96_000)
	must(t, err)
	r, err := NewResampler(44100, 2, 48000, 2)
	must(t, err)
	if live()[0] != before[0]+6 {
		t.Errorf("%d codecs live, want 6 more than %d", live()[0], before[0])
	}
	for range 2 {
		d.Close()
		e.Close()
		a.Close()
		ae.Close()
		o.Close()
		r.Close()
	}
	if live() != before {
		t.Errorf("%v live, %v before", live(), before)
	}
	p, err := NewPool(64, 64, 1)
	must(t, err)
	f, err := p.Get()
	must(t, err)
	defer p.Close()
	defer f.Release()
	_, encode := e.Encode(f, 0, false)
	for name, err := range map[string]error{
		"Decode":     d.Decode(pictures[0].data, 0, 0, never(t)),
		"Configure":  d.Configure(record),
		"Flush":      d.Flush(never(t)),
		"Encode":     encode,
		"SetBitrate": e.SetBitrate(100_000),
		"AAC":        a.Decode(sound[0].data, nil),
		"AAC config": a.Configure(config),
		"AAC encode": ae.Encode(Samples{}, 0, nil),
		"Opus flush": o.Flush(nil),
		"Resample":   r.Resample(Samples{}, nil),
		"Resampler":  r.Flush(nil),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestErrors wants the call and the reason in words, and libav's code.
func TestErrors(t *testing.T) {
	_, err := NewOpusEncoder(44100, 2, 96_000)
	var e *Error
	if !errors.As(err, &e) || e.Code >= 0 || !errors.Is(err, ErrOption) ||
		err.Error() != "av: avcodec_open2(libopus): Invalid argument" {
		t.Errorf("%v", err)
	}
	if !strings.HasPrefix(Version(), "libavcodec 59.") {
		t.Errorf("version %q", Version())
	}
}

// TestEmitFails returns emit's error, and the decoder goes on with the next unit.
func TestEmitFails(t *testing.T) {
	before := live()
	c := pattern(t, 64, 64, 12, "-preset medium -bf 2")
	record, pictures := c.video()
	d, err := NewDecoder(record, Limits{})
	must(t, err)
	stop := errors.New("stop")
	n, stopped := 0, 0
	for _, u := range pictures {
		err := d.Decode(u.data, u.pts, u.dts, func(f *Frame) error {
			defer f.Release()
			n++
			if n%2 == 0 {
				return stop
			}
			return nil
		})
		if errors.Is(err, stop) {
			stopped++
		} else {
			must(t, err)
		}
	}
	must(t, d.Flush(func(f *Frame) error { n++; f.Release(); return nil }))
	d.Close()
	if n != len(pictures) || stopped == 0 || live() != before {
		t.Errorf("%d frames of %d, %d errors, %v live", n, len(pictures), stopped, live())
	}
}

// TestNoGrowth opens, uses and closes codecs over and over: the process must not grow.
func TestNoGrowth(t *testing.T) {
	clip := makeClip(t, "-i "+real+" -c copy -t 1")
	record, pictures := clip.video()
	round := func() {
		d, err := NewDecoder(record, Limits{})
		must(t, err)
		defer d.Close()
		e, err := NewEncoder(EncoderOptions{Width: 1280, Height: 720, Bitrate: 1e6, Preset: "ultrafast"})
		must(t, err)
		defer e.Close()
		for _, u := range pictures[:4] {
			must(t, d.Decode(u.data, u.pts, u.dts, func(f *Frame) error {
				defer f.Release()
				_, err := e.Encode(f, f.PTS(), false)
				return err
			}))
		}
	}
	for range 5 {
		round()
	}
	before := resident(t)
	for range 20 {
		round()
	}
	// One round that leaked would leave 20 MB, a frame in each round 1.4 MB.
	if grown := resident(t) - before; grown > 14<<20 {
		t.Errorf("grown by %d MB", grown>>20)
	}
}

// resident is the process's memory in bytes.
func resident(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	must(t, err)
	pages := 0
	for _, c := range strings.Fields(string(b))[1] {
		pages = pages*10 + int(c-'0')
	}
	return pages * os.Getpagesize()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
