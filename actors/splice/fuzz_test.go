package splice

import (
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// Whatever either side brings, and whenever: nothing is given where nothing may be, nor in another
// epoch than the active's, and what is kept is bounded.
func FuzzMachine(f *testing.F) {
	f.Add([]byte("\x00\x10\x00\x10\x01\x40\x02\x40\x00\x80\x03\x00\x01\xff\x04\x00\x02\x30\x05\x00"))
	f.Add([]byte("\x00\x40\x00\x40\x06\x00\x02\x90\x01\x20\x07\x00\x00\x90\x05\x00\x02\x90"))
	n := nature{gop: 12, bframes: true}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 400 {
			return
		}
		p := newPair(t, n, 1)
		other := publish(t, n, p.all, 0, len(p.all), 6, media.Second, 2)
		at := start
		for ; len(script) >= 2; script = script[2:] {
			at = p.op(script[0], int(script[1]), at, other)
			p.legal()
		}
	})
}

// op carries one operation of a script out.
func (p *pair) op(what byte, n int, at time.Time, other *lane) time.Time {
	m := p.machine
	i := int(m.mirror.lastSeq()) + n/64
	j := int(m.ownSeq) + n/200
	for range n % 64 {
		i, j = min(i+1, len(p.active.units)-1), min(j+1, len(p.mine.units)-1)
		at = at.Add(10 * time.Millisecond)
		if what%8 != 2 && what%8 < 4 {
			m.Mirror(p.active.units[i], at)
		}
		if what%8 != 1 && what%8 < 4 {
			m.Own(p.mine.units[j], at)
		}
	}
	switch what % 8 {
	case 3:
		m.Mirror(p.active.units[n], at) // again, or far away
	case 4:
		m.Lost(at)
	case 5:
		m.OwnEnded()
		p.mine = other
	case 6:
		at = at.Add(time.Duration(n) * 20 * time.Millisecond)
		m.Tick(at)
	case 7:
		u := p.active.units[n]
		m.Mirror(u.Placed(activeEpoch+uint64(n%3), u.Seq, nil), at)
		m.OwnSealed(&topic.Seal{Epoch: 5, Seq: m.ownSeq}, at)
	}
	return at
}

func (w *window) lastSeq() uint64 {
	if p := w.last(); p != nil {
		return p.seq
	}
	return 0
}

func (p *pair) legal() {
	p.t.Helper()
	m := p.machine
	for _, msg := range m.Take() {
		if u, ok := msg.(*topic.Unit); ok && (u.Epoch < activeEpoch || u.Epoch > m.epoch || u.Seq == 0) {
			p.t.Fatalf("unit %d of epoch %d is given in epoch %d", u.Seq, u.Epoch, m.epoch)
		}
	}
	for _, w := range []*window{&m.own, &m.mirror} {
		for i := 1; i < len(w.all); i++ {
			if w.all[i-1].seq >= w.all[i].seq {
				p.t.Fatalf("a window has %d before %d", w.all[i-1].seq, w.all[i].seq)
			}
		}
		if len(w.all) > mostSeen {
			p.t.Fatalf("%d prints are kept", len(w.all))
		}
	}
	if m.aligned && m.took.over {
		p.t.Fatal("aligned, and taken over")
	}
}
