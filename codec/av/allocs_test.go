//go:build cgo

package av

import "testing"

// TestNoAllocations goes through what happens for each frame.
func TestNoAllocations(t *testing.T) {
	clip := makeClip(t, "-i "+real+" -c copy")
	record, pictures := clip.video()
	config, sound := clip.sound()
	d := newDecoder(t, record)
	e, err := NewEncoder(EncoderOptions{Width: 1280, Height: 720, Bitrate: 2e6, Preset: "ultrafast"})
	must(t, err)
	defer e.Close()
	a, err := NewAACDecoder(config)
	must(t, err)
	defer a.Close()
	p, err := NewPool(64, 64, 1)
	must(t, err)
	defer p.Close()
	encode := func(f *Frame) error {
		defer f.Release()
		_, err := e.Encode(f, f.PTS(), false)
		return err
	}
	drop := func(f *Frame) error { f.Release(); return nil }
	measure := func(Samples) error { return nil }
	i := 0
	for name, do := range map[string]func() error{
		"decode": func() error {
			u := &pictures[i%len(pictures)]
			return d.Decode(u.data, u.pts, u.dts, drop)
		},
		"decode and encode": func() error {
			u := &pictures[i%len(pictures)]
			return d.Decode(u.data, u.pts, u.dts, encode)
		},
		"the same sequence header": func() error { return d.Configure(record) },
		"AAC":                      func() error { return a.Decode(sound[i%len(sound)].data, measure) },
		"pool": func() error {
			f, err := p.Get()
			if err == nil {
				f.Retain().Release()
				f.Release()
			}
			return err
		},
	} {
		i = 0
		run := func() {
			if err := do(); err != nil {
				t.Fatal(err)
			}
			i++
		}
		for range 3 {
			run()
		}
		if n := testing.AllocsPerRun(30, run); n != 0 {
			t.Errorf("%s: %g allocations", name, n)
		}
	}
}
