package loudness

import (
	"fmt"
	"math"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

const ms = media.Millisecond

// play has a watch see frames of 100 ms: _ is silent, a audible, X clips, and writes down what
// changes: s and e for silence, c and d for clipping.
func play(w *watch, frames string) string {
	diary := ""
	for _, f := range frames {
		power := map[rune]float64{'_': 0.99e-6, 'a': 1.01e-6, 'X': 1}[f]
		change := w.frame(100*ms, power, f == 'X')
		diary += string(f)
		for i, letter := range []Change{SilenceBegins, SilenceEnds, ClippingBegins, ClippingEnds} {
			if change.Has(letter) {
				diary += string("secd"[i])
			}
		}
	}
	return diary
}

func TestWatch(t *testing.T) {
	short := Thresholds{Silence: -60, SilentFor: 300 * ms, ClipHold: 200 * ms}
	for _, c := range []struct{ frames, want string }{
		{"aaaa", "aaaa"},
		{"__a__a", "__a__a"},                      // too short
		{"___a", "___sae"},                        // just long enough
		{"______a_a___", "______a_a___"},          // see below
		{"XXX", "XcXX"},                           // one event
		{"XaX_X", "XcaX_X"},                       // within the hold
		{"XaaX", "XcaadXc"},                       // beyond it
		{"X___X", "Xc__d_sXec"},                   // both
		{"___X", "___sXec"},                       // at once
		{"Xaaaaaaa___a", "Xcaadaaaaa___sae"},      // over once
		{"_a_a_a_a_a_a_a", "_a_a_a_a_a_a_a"},      // flutter is no event
		{"XaXaXaXaXaXaXaXa", "XcaXaXaXaXaXaXaXa"}, // nor is it many
	} {
		if c.frames == "______a_a___" {
			c.want = "___s___ae_a___s"
		}
		w := newWatch(short)
		if got := play(&w, c.frames); got != c.want {
			t.Errorf("%s: %s, want %s", c.frames, got, c.want)
		}
	}
}

// The defaults, on samples: speech pauses are no silence, three seconds are.
func TestMeterEvents(t *testing.T) {
	const rate = 48000
	m := NewMeter(DefaultThresholds())
	quiet := func(seconds float64) []float32 { return make([]float32, int(seconds*rate)) }
	speech := programme(rate, tone{-20, 1})
	clipped := sine(rate, 0, rate/10, 300, 3)
	var got []Change
	for _, p := range [][]float32{
		speech, quiet(2.5), speech, quiet(10), speech, clipped, speech[:rate/2], clipped, speech,
		speech, programme(rate, tone{-61, 4}), programme(rate, tone{-50, 4}),
	} {
		got = append(got, push(t, m, rate, p, false)...)
	}
	// A sine of -61 dBFS peak has an RMS of -64, one of -50 has one of -53.
	want := []Change{
		SilenceBegins, SilenceEnds, ClippingBegins, ClippingEnds, SilenceBegins, SilenceEnds,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("changes %v, want %v", got, want)
	}
	r := m.Reading()
	if r.Silent || r.Clipping || r.Silences != 2 || r.Clippings != 1 || r.ClippedSamples < 100 {
		t.Errorf("%+v", r)
	}
	near(t, "peak", r.Total.Peak, 3, 0.01)
}

func FuzzMeter(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 2, 3, 4}, uint32(48000), true)
	f.Add([]byte{0x7f, 0xc0, 0, 0, 0xff, 0x80, 0, 0}, uint32(44100), false)
	f.Add([]byte{0x3f, 0x80, 0, 0, 0x42, 0x80, 0, 1}, uint32(8000), true)
	f.Fuzz(func(t *testing.T, raw []byte, rate uint32, stereo bool) {
		m := NewMeter(DefaultThresholds())
		var p []float32
		for ; len(raw) >= 4; raw = raw[4:] {
			bits := uint32(raw[0])<<24 | uint32(raw[1])<<16 | uint32(raw[2])<<8 | uint32(raw[3])
			p = append(p, math.Float32frombits(bits))
		}
		right := p
		if !stereo {
			right = nil
		}
		for range 3 {
			_, _ = m.Push(int(rate), p, right) // an error leaves a meter that goes on
			_, _ = m.Push(48000, p, nil)
			bounded(t, m.Reading())
		}
		push(t, m, 48000, sine(48000, 0, 48000, 1000, -20), true)
		bounded(t, m.Reading())
		if got := m.Reading().Momentary; got < -21 || got > -19 {
			t.Errorf("a second of sine reads %v", got)
		}
	})
}
