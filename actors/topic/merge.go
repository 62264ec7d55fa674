package topic

import (
	"cmp"
	"slices"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// Patience bounds what a topic holds back while units are missing that another upstream may still
// bring. The zero Patience holds nothing back.
type Patience struct {
	// Time is how long it waits for the missing ones, from when the first one beyond them came.
	Time time.Duration
	// Hole is how many may be missing: nobody is about to bring more than that. 0 is any number.
	Hole int
	// Units and Bytes bound what is held meanwhile.
	Units, Bytes int
}

// DefaultPatience is what topics with several upstreams have: more than upstreams are apart that
// are well, less than a viewer has in his buffer.
func DefaultPatience() Patience {
	return Patience{Time: 300 * time.Millisecond, Hole: 200, Units: 512, Bytes: 4 << 20}
}

// merge makes one sequence of what several upstreams bring, each in order, but each with holes of
// its own. It stands in front of a Machine, and is asked only about what that would not take as the
// next unit. It is a plain value.
//
// What is ahead is held back until what is missing has come from another upstream. When that takes
// too long, or too much is held, the oldest hole is given up and costs what any gap costs. What a
// snapshot has is held in the same way: where its upstream has begun anew, another may still be in
// between. Only what an epoch begins with enters as it comes: there is nothing yet that could have
// a hole.
type merge struct {
	patience Patience
	machine  *Machine

	held   []waiting // by epoch and sequence number
	bytes  int       // of those
	begun  uint64    // the epoch that has begun
	open   bool      // the first of held has a hole before it,
	beyond place     // at whose end was this unit when it was found

	fates   fates
	counted counted
}

// fates count holes: each that was opened is filled or given up.
type fates struct{ opened, filled, givenUp uint64 }

// waiting is a unit that is held back.
type waiting struct {
	unit  *Unit
	since time.Time
	anew  bool // a snapshot has it, which may begin anew: see Adopt
	start bool // it is of what its epoch begins with
}

type place struct{ epoch, seq uint64 }

func placeOf(u *Unit) place { return place{u.Epoch, u.Seq} }

func (p place) compare(q place) int {
	if p.epoch != q.epoch {
		return cmp.Compare(p.epoch, q.epoch)
	}
	return cmp.Compare(p.seq, q.seq)
}

// idle reports whether a unit is none of merge's business: nothing is held, and there is no hole
// before it. This is all that traffic in order costs.
func (g *merge) idle(u *Unit) bool {
	return u.Seq <= g.machine.mark.seq+1 && u.Epoch == g.begun && len(g.held) == 0
}

// unit takes what came from an upstream, to be had by next when it is its turn, or says why it will
// never be.
func (g *merge) unit(u *Unit, now time.Time) error {
	return g.hold(waiting{unit: u, since: now, start: g.fresh(u.Epoch)})
}

// snapshot takes the units of a snapshot, and tells refused which of them are not taken.
func (g *merge) snapshot(units []*Unit, now time.Time, refused func(*Unit, error)) {
	for _, u := range units {
		w := waiting{unit: u, since: now, anew: true, start: g.fresh(u.Epoch)}
		if err := g.hold(w); err != nil {
			refused(u, err)
		}
	}
}

// fresh reports whether an epoch has not begun yet.
func (g *merge) fresh(epoch uint64) bool { return epoch > g.begun }

func (g *merge) hold(w waiting) error {
	at := placeOf(w.unit)
	if n := len(g.held); n > 0 && at.epoch < g.held[n-1].unit.Epoch || at.epoch < g.machine.fence {
		return ErrStale
	}
	if mark := g.machine.mark; at.compare(place{mark.epoch, mark.seq}) <= 0 {
		if at.epoch < mark.epoch {
			return ErrStale
		}
		return ErrDuplicate
	}
	i, found := slices.BinarySearchFunc(g.held, at, func(o waiting, p place) int {
		return placeOf(o.unit).compare(p)
	})
	if found {
		return ErrDuplicate
	}
	g.held = slices.Insert(g.held, i, w)
	g.bytes += w.unit.Size() + overhead
	return nil
}

// next returns a unit that is to enter now, and whether it may begin anew.
func (g *merge) next(now time.Time) (u *Unit, anew, ok bool) {
	if len(g.held) == 0 {
		return nil, false, false
	}
	w := g.held[0]
	at := placeOf(w.unit)
	switch {
	case g.whole(at):
		if g.open && at.compare(g.beyond) >= 0 {
			g.open = false
			g.fates.filled++
		}
	case w.start:
	default:
		if !g.open {
			g.open, g.beyond = true, at
			g.fates.opened++
		}
		if !g.hopeless(at, now) {
			return nil, false, false
		}
		g.open = false
		g.fates.givenUp++
	}
	g.pop()
	return w.unit, w.anew, true
}

// whole reports whether nothing is missing before a unit.
func (g *merge) whole(at place) bool {
	mark := g.machine.mark
	return at == place{mark.epoch, mark.seq + 1} || at.epoch > mark.epoch && at.seq == 1
}

// pop takes the first of what is held, with which its epoch has begun. A snapshot that has nothing
// but headers begins nothing.
func (g *merge) pop() {
	w := g.held[0]
	u := w.unit
	g.held[0] = waiting{}
	g.held = g.held[1:]
	g.bytes -= u.Size() + overhead
	if len(g.held) == 0 {
		g.held = nil // a hole is rare: its memory is not kept for the next
	}
	if !w.anew || u.Role != media.SequenceHeader {
		g.begun = u.Epoch
	}
}

// hopeless reports whether the hole before the first of what is held is to be given up.
func (g *merge) hopeless(first place, now time.Time) bool {
	missing := first.seq - 1
	if mark := g.machine.mark; first.epoch == mark.epoch {
		missing -= mark.seq
	}
	if g.patience.Hole > 0 && missing > uint64(g.patience.Hole) {
		return true
	}
	last := g.held[len(g.held)-1].unit
	return last.Epoch > first.epoch || len(g.held) > g.patience.Units ||
		g.bytes > g.patience.Bytes || !now.Before(g.deadline())
}

// deadline is when the oldest hole is given up. It is known since the first unit beyond it came.
func (g *merge) deadline() time.Time {
	first := g.held[0].since
	for _, w := range g.held {
		if w.since.Before(first) {
			first = w.since
		}
	}
	return first.Add(g.patience.Time)
}
