package link

import (
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/topic"
)

// identical holds that all of what was sent has come, bit for bit, and nothing twice.
func identical(t *testing.T, got, sent []*topic.Unit) {
	t.Helper()
	if len(sent) == 0 || len(got) != len(sent) {
		t.Errorf("%d units of %d came", len(got), len(sent))
	}
	for i := range min(len(got), len(sent)) {
		if err := alike(got[i], sent[i]); err != nil {
			t.Fatalf("unit %d: %v", i, err)
		}
	}
}

// TestTwoTiers has an edge follow an origin by another edge, which nobody watches on: it gets the
// same units from epoch to epoch, and the one in the middle ends when it is needed no more.
func TestTwoTiers(t *testing.T) {
	t.Parallel()
	w := &tiers{t: t}
	o, m, e := w.start("o"), w.start("m"), w.start("e")
	m.place("live/a", o)
	e.place("live/a", m)
	end := e.pin("live/a")
	eventually(t, "the edge in the middle is there", func() bool {
		return len(m.census.PIDs("edge")) == 1
	})
	p := o.publish("live/a")
	first := p.output()
	p.frames(60)
	end.catches(first)
	p = o.publish("live/a") // the publisher comes back
	second := p.output()
	p.frames(60)
	end.catches(second)
	identical(t, end.got(), append(first.got(), second.got()...))
	e.unpin("live/a")
	eventually(t, "the edges are gone", func() bool {
		return len(e.census.PIDs("edge"))+len(m.census.PIDs("edge"))+len(m.census.PIDs("pin")) == 0
	})
}

// TestTwoUpstreams has an edge follow two at once: one of them dies, and nothing is lost or twice.
func TestTwoUpstreams(t *testing.T) {
	t.Parallel()
	w := &tiers{t: t}
	o, m1, m2, e := w.start("o"), w.start("m-1"), w.start("m-2"), w.start("e")
	m1.place("live/a", o)
	m2.place("live/a", o)
	e.place("live/a", m1, m2)
	end := e.pin("live/a")
	for _, m := range []*tierNode{m1, m2} {
		eventually(t, "an edge is in the middle", func() bool { return len(m.census.PIDs("edge")) == 1 })
	}
	p := o.publish("live/a")
	sent := p.output()
	p.frames(60)
	end.catches(sent)
	m1.stop()
	p.frames(60)
	end.catches(sent)
	e.place("live/a", m2)
	p.frames(60)
	e.place("live/a", m2, o) // one more interrupts nothing
	p.frames(60)
	end.catches(sent)
	identical(t, end.got(), sent.got())
}

// TestTheBroadcastMoves has the publisher go to the node in the middle, and away again.
func TestTheBroadcastMoves(t *testing.T) {
	t.Parallel()
	w := &tiers{t: t}
	o, m, e := w.start("o"), w.start("m"), w.start("e")
	m.place("live/a", o)
	e.place("live/a", m)
	end := e.pin("live/a")
	var sent []*topic.Unit
	for _, at := range []*tierNode{o, m, o} {
		if at == m {
			m.place("live/a")
		} else {
			m.place("live/a", o)
		}
		p := at.publish("live/a")
		for _, other := range []*tierNode{o, m} {
			if other != at { // what the registrar would say
				other.system.Root.Send(other.at.Directory, &directory.Outdated{
					Key: "live/a", Epoch: p.epoch, Node: at.name,
				})
			}
		}
		output := p.output()
		p.frames(45)
		end.catches(output)
		sent = append(sent, output.got()...)
	}
	identical(t, end.got(), sent)
}

// TestStandbyServes has an edge follow a node that was told to keep a broadcast, when the one that
// it had it from has gone.
func TestStandbyServes(t *testing.T) {
	t.Parallel()
	w := &tiers{t: t}
	o, s, e := w.start("o"), w.start("s"), w.start("e")
	s.place("live/a", o)
	kept := s.pin("live/a")
	p := o.publish("live/a")
	sent := p.output()
	p.frames(30)
	kept.catches(sent)
	o.stop()
	s.place("live/a")
	e.place("live/a", s)
	e.pin("live/a").catches(kept)
}

// TestNowhereIsNotPinned has an edge ask for what is nowhere.
func TestNowhereIsNotPinned(t *testing.T) {
	t.Parallel()
	w := &tiers{t: t}
	o, m, e := w.start("o"), w.start("m"), w.start("e")
	e.place("live/a", m)
	end := e.pin("live/a")
	pass(200 * time.Millisecond)
	if n := len(m.census.PIDs("pin")); n != 0 {
		t.Errorf("%d pins", n)
	}
	m.place("live/a", o)
	p := o.publish("live/a")
	sent := p.output()
	p.frames(30)
	end.catches(sent)
}
