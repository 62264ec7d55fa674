package loudness

// Windows of EBU Tech 3341, 2.2, in blocks of 100 ms: momentary, which is the gating block of ITU-R
// BS.1770-4 too (400 ms, overlapping by 75 %), and short-term.
const (
	blocksPerSecond = 10
	momentaryBlocks = 4
	shortTermBlocks = 30
)

// windows are the latest blocks. What was before the first is silence.
type windows struct {
	powers [shortTermBlocks]float64
	blocks uint64
}

func (w *windows) add(power float64) {
	w.powers[w.blocks%shortTermBlocks] = power
	w.blocks++
}

// full says whether the latest n blocks have all been there.
func (w *windows) full(n uint64) bool { return w.blocks >= n }

// mean is the power over the latest n blocks.
func (w *windows) mean(n uint64) float64 {
	var sum float64
	for i := uint64(1); i <= n; i++ {
		sum += w.powers[(w.blocks+shortTermBlocks-i)%shortTermBlocks]
	}
	return sum / float64(n)
}
