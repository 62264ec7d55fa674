package loudness

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// exact is ITU-R BS.1770-4, annex 1, equations 3 to 7, over all blocks.
func exact(powers []float64) float64 {
	mean := func(above float64) float64 {
		var sum float64
		n := 0
		for _, p := range powers {
			if l := lufs(p); l > absoluteGate && l > above {
				sum += p
				n++
			}
		}
		if n == 0 {
			return Floor
		}
		return lufs(sum / float64(n))
	}
	return mean(mean(absoluteGate) + relativeGate)
}

// The histogram's result is that over all blocks, within half a bin and what blocks at the relative
// gate weigh.
func TestGateEqualsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var g gate
		var powers []float64
		base, spread := -60+60*r.Float64(), 20*r.Float64()
		for range 1 + r.IntN(3000) {
			l := base + spread*r.NormFloat64()
			if r.IntN(10) == 0 {
				l = -200
			}
			l = min(l, loudest-1)
			powers = append(powers, powerAt(l))
			g.add(powerAt(l))
		}
		want := exact(powers)
		near(t, "integrated", g.integrated(), want, 0.02)
		// The sums that move with the gate are those over the bins.
		var blocks uint64
		var power float64
		for bin := g.cut; bin < bins; bin++ {
			blocks += uint64(g.counts[bin])
			power += float64(g.counts[bin]) * middle(bin)
		}
		if blocks != g.above || math.Abs(power-g.loud) > 1e-9*power {
			t.Fatalf("%d blocks of %v above the gate, want %d of %v", g.above, g.loud, blocks, power)
		}
	}
}

func TestGateEdges(t *testing.T) {
	var g gate
	for _, power := range []float64{0, 1e-300, powerAt(-70.001), math.NaN()} {
		if g.add(power); g.integrated() != Floor || g.blocks != 0 {
			t.Errorf("%v passes the absolute gate: %v", power, g.integrated())
		}
	}
	g.add(powerAt(-69.999))
	near(t, "integrated", g.integrated(), -70, 0.01)
	g.add(math.Inf(1)) // the last bin
	near(t, "integrated", g.integrated(), loudest, 0.01)
	if size := unsafe.Sizeof(g); size > 33<<10 {
		t.Errorf("a gate takes %d bytes", size)
	}
}

// A day of blocks, by turns loud and quiet, costs no precision.
func TestGateForADay(t *testing.T) {
	var g gate
	for i := range 24 * 3600 * blocksPerSecond {
		l := -23.0
		if i/600%2 == 1 {
			l = -40
		}
		g.add(powerAt(l))
	}
	near(t, "integrated", g.integrated(), -23, 0.006)
}
