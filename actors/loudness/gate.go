package loudness

// Gating of ITU-R BS.1770-4, annex 1, equations 3 to 7, which EBU R128 adopts.
const (
	absoluteGate = -70.0 // LUFS
	relativeGate = -10.0 // LU below the loudness of what passes the absolute gate
)

// The histogram: 0.01 LU a bin, from the absolute gate up to what samples within full scale cannot
// reach (two channels of a square wave weighted by 4 dB read 6.3 LUFS).
const (
	binsPerLU = 100
	loudest   = 10 // LUFS
	bins      = (loudest - absoluteGate) * binsPerLU
)

// gate is the integrated loudness of a programme of any length in 32 KiB. A block counts as the
// middle of its bin, so that the result is within 0.005 LU of the one over all blocks, if no block
// lies within 0.005 LU of the relative gate; such a block may fall on its other side.
//
// The bins above the relative gate are summed up as the gate moves, a few bins a block, so that a
// result costs nothing.
type gate struct {
	counts [bins]uint32 // good for 13 years of blocks of one loudness
	power  float64      // of the blocks above the absolute gate
	blocks uint64
	cut    int     // the first bin above the relative gate
	loud   float64 // power of the bins from cut on
	above  uint64  // blocks in them
}

// add takes the power of one gating block.
func (g *gate) add(power float64) {
	power = min(power, powerAt(loudest))
	l := lufs(power)
	if l <= absoluteGate {
		return
	}
	bin := min(int((l-absoluteGate)*binsPerLU), bins-1)
	g.counts[bin]++
	g.power += power
	g.blocks++
	if bin >= g.cut {
		g.above++
		g.loud += middle(bin)
	}
	g.move(lufs(g.power/float64(g.blocks)) + relativeGate)
}

// move sets the relative gate, in LUFS.
func (g *gate) move(threshold float64) {
	cut := max(0, int((threshold-absoluteGate)*binsPerLU+0.5))
	for ; g.cut < cut; g.cut++ {
		if n := g.counts[g.cut]; n > 0 {
			g.above -= uint64(n)
			g.loud -= float64(n) * middle(g.cut)
		}
	}
	for g.cut > cut {
		g.cut--
		if n := g.counts[g.cut]; n > 0 {
			g.above += uint64(n)
			g.loud += float64(n) * middle(g.cut)
		}
	}
}

// middle is the power in the middle of a bin.
func middle(bin int) float64 { return powerAt(absoluteGate + (float64(bin)+0.5)/binsPerLU) }

// integrated is the loudness so far, Floor before anything has passed the gates.
func (g *gate) integrated() float64 {
	if g.above == 0 {
		return Floor
	}
	return lufs(g.loud / float64(g.above))
}
