package loudness

import (
	"math"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frameLength is AAC's.
const frameLength = 1024

// tone is a sine at a level, its peak in dBFS, for a time.
type tone struct {
	peak, seconds float64
}

// sine makes n samples of a sine, from sample from on.
func sine(rate, from, n int, hertz, peak float64) []float32 {
	amplitude := math.Pow(10, peak/20)
	p := make([]float32, n)
	for i := range p {
		p[i] = float32(amplitude * math.Sin(2*math.Pi*hertz*float64(from+i)/float64(rate)))
	}
	return p
}

// programme is tones of 1 kHz one after another, without a break between them.
func programme(rate int, tones ...tone) []float32 {
	var all []float32
	for _, c := range tones {
		all = append(all, sine(rate, len(all), int(c.seconds*float64(rate)), 1000, c.peak)...)
	}
	return all
}

// push measures samples in frames, right as left if stereo, and gives the changes in order.
func push(t testing.TB, m *Meter, rate int, p []float32, stereo bool) []Change {
	t.Helper()
	var changes []Change
	for len(p) > 0 {
		n := min(frameLength, len(p))
		right := p[:n]
		if !stereo {
			right = nil
		}
		change, err := m.Push(rate, p[:n], right)
		if err != nil {
			t.Fatal(err)
		}
		if change != 0 {
			changes = append(changes, change)
		}
		p = p[n:]
	}
	return changes
}

// near expects got within tolerance of want.
func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.3f, want %.3f within %.3f", what, got, want, tolerance)
	}
}

// bounded expects every level of a reading to be a number between Floor and what is possible.
func bounded(t testing.TB, r Reading) {
	t.Helper()
	for name, v := range map[string]float64{
		"momentary": r.Momentary, "short term": r.ShortTerm, "integrated": r.Integrated,
		"greatest momentary": r.MaxMomentary, "greatest short term": r.MaxShortTerm,
		"RMS": r.Frame.RMS, "peak": r.Frame.Peak, "total RMS": r.Total.RMS,
		"total peak": r.Total.Peak,
	} {
		if !(v >= Floor && v < 60) {
			t.Errorf("%s is %v", name, v)
		}
	}
	if r.Measured < 0 {
		t.Errorf("measured %v", r.Measured)
	}
}
