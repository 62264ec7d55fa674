package splice

import (
	"testing"
	"time"
)

// BenchmarkSplice brings each unit from both sides: where they are the same, and where they are
// not. Bodies are small: hashing real ones comes on top.
func BenchmarkSplice(b *testing.B) {
	for _, c := range []struct {
		name   string
		nature nature
		sps    byte
	}{
		{"same", nature{gop: 60}, 1},
		{"other", nature{gop: 60}, 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newPair(b, c.nature, c.sps)
			var n uint64
			b.ReportAllocs()
			for b.Loop() {
				i := n % uint64(len(p.all))
				at := start.Add(time.Duration(n) * 13 * time.Millisecond)
				p.machine.Mirror(p.active.units[i].Placed(activeEpoch, n+1, nil), at)
				p.machine.Own(p.mine.units[i].Placed(5, n+1, nil), at)
				p.machine.Take()
				n++
			}
		})
	}
}
