package loudness

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

var rates = []int{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000}

// ITU-R BS.1770-4, annex 1: a sine of 997 Hz at 0 dBFS in one channel reads -3.01 LKFS; the same in
// both reads 3.01 more.
func TestStandardTone(t *testing.T) {
	for _, rate := range rates {
		for _, stereo := range []bool{false, true} {
			m := NewMeter(DefaultThresholds())
			push(t, m, rate, sine(rate, 0, 10*rate, 997, 0), stereo)
			want := -3.01
			if stereo {
				want = 0
			}
			what := fmt.Sprintf("%d Hz, stereo %v: ", rate, stereo)
			r := m.Reading()
			tolerance := 0.02
			if rate < 32000 { // the bilinear transform warps the shelf that low
				tolerance = 0.1
			}
			near(t, what+"momentary", r.Momentary, want, tolerance)
			near(t, what+"short term", r.ShortTerm, want, tolerance)
			near(t, what+"integrated", r.Integrated, want, tolerance)
			near(t, what+"RMS", r.Total.RMS, -3.01, 0.01)
			near(t, what+"peak", r.Total.Peak, 0, 0.01)
			if r.SampleRate != rate || r.Measured < 9999*media.Millisecond {
				t.Errorf("%s%+v", what, r)
			}
		}
	}
}

// EBU Tech 3341, table 1, the cases that are tones in two channels: integrated loudness of -23 LUFS
// (case 2: -33) within 0.1 LU.
func TestEBUIntegrated(t *testing.T) {
	for n, c := range map[int]struct {
		want  float64
		tones []tone
	}{
		1: {-23, []tone{{-23, 20}}},
		2: {-33, []tone{{-33, 20}}},
		3: {-23, []tone{{-36, 10}, {-23, 60}, {-36, 10}}},
		4: {-23, []tone{{-72, 10}, {-36, 10}, {-23, 60}, {-36, 10}, {-72, 10}}},
		5: {-23, []tone{{-26, 20}, {-20, 20.1}, {-26, 20}}},
	} {
		for _, rate := range []int{44100, 48000} {
			m := NewMeter(DefaultThresholds())
			push(t, m, rate, programme(rate, c.tones...), true)
			what := fmt.Sprintf("case %d at %d Hz", n, rate)
			near(t, what, m.Reading().Integrated, c.want, 0.1)
			if n <= 2 {
				near(t, what+", momentary", m.Reading().Momentary, c.want, 0.1)
				near(t, what+", short term", m.Reading().ShortTerm, c.want, 0.1)
			}
		}
	}
}

// EBU Tech 3341, case 6, as far as two channels go: what is in left and right adds up by power.
func TestEBUChannels(t *testing.T) {
	const rate = 48000
	left := sine(rate, 0, 20*rate, 1000, -28)
	right := sine(rate, 0, 20*rate, 1000, -24)
	m := NewMeter(DefaultThresholds())
	for i := 0; i < len(left); i += frameLength {
		end := min(i+frameLength, len(left))
		if _, err := m.Push(rate, left[i:end], right[i:end]); err != nil {
			t.Fatal(err)
		}
	}
	// One channel of -23 reads -26.01.
	want := 10*math.Log10(math.Pow(10, -2.8)+math.Pow(10, -2.4)) - 3.01
	near(t, "integrated", m.Reading().Integrated, want, 0.1)
}

// EBU Tech 3341, cases 9 and 12: short-term loudness is constant after 3 s, momentary after 1 s.
func TestEBUWindows(t *testing.T) {
	const rate = 48000
	short := NewMeter(DefaultThresholds())
	momentary := NewMeter(DefaultThresholds())
	for range 5 {
		push(t, short, rate, programme(rate, tone{-20, 1.34}, tone{-30, 1.66}), true)
		near(t, "short term", short.Reading().ShortTerm, -23, 0.1)
	}
	for i := range 25 {
		push(t, momentary, rate, programme(rate, tone{-20, 0.18}, tone{-30, 0.22}), true)
		if i >= 2 {
			near(t, "momentary", momentary.Reading().Momentary, -23, 0.1)
		}
	}
	near(t, "greatest momentary", momentary.Reading().MaxMomentary, -23, 0.1)
}

// Silence is a clean floor, from the first frame on, and after sound.
func TestSilenceIsAFloor(t *testing.T) {
	const rate = 48000
	m := NewMeter(DefaultThresholds())
	bounded(t, m.Reading())
	if r := m.Reading(); r.Integrated != Floor || r.Momentary != Floor || r.Total.Peak != Floor {
		t.Errorf("at the start: %+v", r)
	}
	push(t, m, rate, make([]float32, 5*rate), true)
	if r := m.Reading(); r.Integrated != Floor || r.ShortTerm != Floor || r.Total.RMS != Floor ||
		r.Frame != (Level{Floor, Floor}) || !r.Silent {
		t.Errorf("silence: %+v", r)
	}
	push(t, m, rate, programme(rate, tone{-20, 3}), true)
	push(t, m, rate, make([]float32, 5*rate), true)
	r := m.Reading()
	bounded(t, r)
	// 27 whole gating blocks, and on either side three that are partly silent.
	near(t, "integrated", r.Integrated, -20+10*math.Log10(30./33), 0.03)
	if r.Momentary != Floor || r.Frame != (Level{Floor, Floor}) || m.Lap().Peak < -21 ||
		m.Lap() != (Level{Floor, Floor}) {
		t.Errorf("silence after sound: %+v", r)
	}
}

// How the samples are cut into frames changes nothing.
func TestFramesDoNotMatter(t *testing.T) {
	const rate = 44100
	p := programme(rate, tone{-30, 3}, tone{-12, 2.05}, tone{-80, 3.3}, tone{-20, 4})
	whole := NewMeter(DefaultThresholds())
	push(t, whole, rate, p, true)
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		m := NewMeter(DefaultThresholds())
		for rest := p; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(1<<(1+r.IntN(14))))
			if _, err := m.Push(rate, rest[:n], rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		a, b := whole.Reading(), m.Reading()
		near(t, "integrated", b.Integrated, a.Integrated, 1e-4)
		near(t, "momentary", b.Momentary, a.Momentary, 1e-4)
		near(t, "short term", b.ShortTerm, a.ShortTerm, 1e-4)
		near(t, "greatest momentary", b.MaxMomentary, a.MaxMomentary, 1e-4)
		near(t, "RMS", b.Total.RMS, a.Total.RMS, 1e-4)
		near(t, "peak", b.Total.Peak, a.Total.Peak, 0)
	}
}

// A change of sample rate or channels goes on where it was.
func TestFormatChanges(t *testing.T) {
	m := NewMeter(DefaultThresholds())
	var seconds float64
	for i, rate := range append(rates, rates...) {
		stereo := i%3 != 0
		peak := -23.0
		if !stereo {
			peak += 3.01 // as loud in one channel
		}
		push(t, m, rate, programme(rate, tone{peak, 2.03}), stereo)
		seconds += 2.03
		r := m.Reading()
		near(t, fmt.Sprint(rate, " Hz: momentary"), r.Momentary, -23, 0.15)
		near(t, fmt.Sprint(rate, " Hz: integrated"), r.Integrated, -23, 0.15)
		if r.SampleRate != rate || (r.Channels == 2) != stereo {
			t.Errorf("%d Hz, stereo %v: %+v", rate, stereo, r)
		}
	}
	near(t, "measured", m.Reading().Measured.Seconds(), seconds, 0.01)
	near(t, "blocks", float64(m.windows.blocks), seconds*10, 1)
}

// A meter whose format changes with every frame still measures.
func TestFormatFlaps(t *testing.T) {
	m := NewMeter(DefaultThresholds())
	at := 0
	for i := range 500 {
		p := sine(48000, at, frameLength, 1000, -20)
		at += frameLength
		right := p
		if i%2 == 0 {
			right = nil
		}
		if _, err := m.Push(48000, p, right); err != nil {
			t.Fatal(err)
		}
	}
	bounded(t, m.Reading())
	if got := m.Reading().Momentary; got < -26 || got > -18 {
		t.Errorf("momentary %v", got)
	}
}

// What is no audio leaves no trace.
func TestBadFrames(t *testing.T) {
	const rate = 48000
	m := NewMeter(DefaultThresholds())
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := programme(rate, tone{-23, 0.05})
	for _, bad := range []float32{nan, inf, -inf, math.MaxFloat32, -65} {
		for _, at := range []int{0, 7, 1023} {
			p := make([]float32, 1024)
			p[at] = bad
			for _, channels := range [][2][]float32{{p, nil}, {p, p[:1000:1000]}, {good, p}} {
				if at > 999 && channels[1] != nil {
					continue // not in the frame, which is as long as the shorter
				}
				if _, err := m.Push(rate, channels[0], channels[1]); !errors.Is(err, ErrSamples) {
					t.Fatalf("%v at %d: %v", bad, at, err)
				}
			}
		}
	}
	var argument *halide.ArgumentError
	for _, rate := range []int{-1, 0, 7350, 384001} {
		if _, err := m.Push(rate, good, good); !errors.As(err, &argument) {
			t.Errorf("%d Hz: %v", rate, err)
		}
	}
	for _, p := range [][]float32{nil, {}} {
		if _, err := m.Push(rate, p, nil); !errors.As(err, &argument) {
			t.Errorf("an empty frame: %v", err)
		}
	}
	if r := m.Reading(); r.Measured != 0 || r.Total.Peak != Floor {
		t.Errorf("bad frames are measured: %+v", r)
	}
	push(t, m, rate, programme(rate, tone{-23, 4}), true)
	near(t, "integrated", m.Reading().Integrated, -23, 0.1)
}

// In the steady state a frame costs no memory.
func TestMeterAllocations(t *testing.T) {
	m := NewMeter(DefaultThresholds())
	p := sine(48000, 0, frameLength, 997, -3)
	frame := func() {
		if _, err := m.Push(48000, p, p); err != nil {
			t.Fatal(err)
		}
	}
	frame()
	if n := testing.AllocsPerRun(1000, frame); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
