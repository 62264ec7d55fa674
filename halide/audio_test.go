package halide

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/headwater-live/headwater/halide/reference"
)

var lengths = []int{
	1, 2, 7, 31, 63, 64, 65, 127, 128, 129, 960, 1000, 1023, 1024, 1025, 1151, 2048, 4800, 70001,
}

func samples(r *rand.Rand, n int) ([]int16, []float32) {
	p, f := make([]int16, n), make([]float32, n)
	for i := range p {
		p[i] = int16(r.Uint32() >> (r.Uint32() % 16))
		f[i] = float32(r.NormFloat64() * 0.3)
	}
	p[r.IntN(n)], p[r.IntN(n)] = -32768, 32767
	return p, f
}

func sameMeter(t *testing.T, n int, got, want Meter, tolerance float64) {
	t.Helper()
	if math.Abs(got.Squares-want.Squares) > tolerance*want.Squares || got.Peak != want.Peak ||
		got.Clipped != want.Clipped {
		t.Fatalf("%d samples: %+v, want %+v", n, got, want)
	}
}

func TestLevelEqualsReference(t *testing.T) {
	r := random(20)
	for _, n := range append(lengths, MaxSamples) {
		p, f := samples(r, 2*n)
		for _, s := range []Samples[int16]{Mono(p[1 : n+1]), Stereo(p[:n], p[n:]), Interleaved(p)} {
			m, err := LevelS16(s)
			must(t, err)
			sameMeter(t, n, m[0], reference.LevelS16(s.left, n, s.step), 0)
			if s.right != nil {
				sameMeter(t, n, m[1], reference.LevelS16(s.right, n, s.step), 0)
			} else if m[1] != (Meter{}) {
				t.Fatalf("second channel of mono: %+v", m[1])
			}
		}
		for _, s := range []Samples[float32]{Mono(f[1 : n+1]), Stereo(f[:n], f[n:]), Interleaved(f)} {
			m, err := LevelF32(s)
			must(t, err)
			sameMeter(t, n, m[0], reference.LevelF32(s.left, n, s.step), 1e-5)
			if s.right != nil {
				sameMeter(t, n, m[1], reference.LevelF32(s.right, n, s.step), 1e-5)
			}
		}
	}
}

func TestLevelExtremes(t *testing.T) {
	for _, v := range []int16{-32768, 32767, 0, -1} {
		p := make([]int16, 1<<18+3)
		for i := range p {
			p[i] = v
		}
		for _, s := range []Samples[int16]{Mono(p), Interleaved(p)} {
			m, err := LevelS16(s)
			must(t, err)
			sameMeter(t, s.length, m[0], reference.LevelS16(s.left, s.length, s.step), 0)
		}
	}
	sine := make([]float32, 4800)
	for i := range sine {
		sine[i] = float32(0.5 * math.Sin(2*math.Pi*float64(i)/48))
	}
	m, err := LevelF32(Mono(sine))
	must(t, err)
	if db := Decibels(RMS(m[0], len(sine))); math.Abs(db+9.0309) > 1e-3 {
		t.Fatalf("half-scale sine: %v dBFS", db)
	}
}

// Frames of changing length, so that the state is carried across every way of cutting a stream.
func TestKWeightedEqualsReference(t *testing.T) {
	r := random(21)
	for _, rate := range []int{44100, 48000} {
		k, err := NewKWeighted(rate)
		must(t, err)
		k16, err := NewKWeighted(rate)
		must(t, err)
		f := reference.NewKFilter(float64(rate))
		var want, want16 [2]reference.KState
		for frame := range 200 {
			n := lengths[frame%(len(lengths)-1)]
			p16, p := samples(r, 2*n)
			for i := range p {
				p[i] += 0.5 // an offset is what a high-pass of 38 Hz forgets last
			}
			s := Interleaved(p)
			if frame%2 == 1 {
				s = Stereo(p[:n], p[n:])
			}
			got, err := k.F32(s)
			must(t, err)
			got16, err := k16.S16(Interleaved(p16))
			must(t, err)
			for c := range 2 {
				ch := [2][]float32{s.left, s.right}[c]
				e := reference.KWeightedF32(&f, ch, n, s.step, &want[c])
				e16 := reference.KWeightedS16(&f, p16[c:], n, 2, &want16[c])
				if math.Abs(got[c]-e) > 1e-7*e+1e-12 || math.Abs(got16[c]-e16) > 1e-7*e16+1e-12 {
					t.Fatalf("frame %d of %d, channel %d: %v and %v, want %v and %v", frame, n, c, got[c],
						got16[c], e, e16)
				}
			}
		}
	}
}

// ITU-R BS.1770-5 annex 1: a 997 Hz sine at 0 dBFS on one front channel reads -3.01 LKFS.
func TestKWeightedStandardTone(t *testing.T) {
	for _, rate := range []int{44100, 48000} {
		k, err := NewKWeighted(rate)
		must(t, err)
		p := make([]float32, rate*5)
		for i := range p {
			p[i] = float32(math.Sin(2 * math.Pi * 997 * float64(i) / float64(rate)))
		}
		_, err = k.F32(Mono(p[:rate])) // settles
		must(t, err)
		e, err := k.F32(Mono(p[rate:]))
		must(t, err)
		if l := Loudness(e[0] / float64(4*rate)); math.Abs(l+3.01) > 0.01 {
			t.Errorf("at %d Hz: %.4f LUFS, want -3.01", rate, l)
		}
		k.Reset()
		if e, err = k.F32(Mono(make([]float32, 1024))); err != nil || e[0] != 0 {
			t.Errorf("silence after Reset: %v, %v", e, err)
		}
	}
}
