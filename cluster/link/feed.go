package link

import (
	"sync/atomic"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// feed is one subscription at the origin: a cursor on the ring of what is subscribed to. All but
// what is said to be otherwise is the writer's.
type feed struct {
	out            *outlet
	id             uint32
	key, rendition string
	wanted         place        // where the edge wanted to go on
	ready          atomic.Bool  // it is in the outlet's queue
	at             atomic.Int64 // the cursor, for who asks how much waits

	// Guarded by the outlet.
	next     *tap // what is to be followed once the present ring is read to its end
	finished bool // the broadcast is gone: that is to be said then
	closed   bool

	ring   atomic.Pointer[topic.Ring] // anybody may read it
	from   place                      // where the edge wants to go on
	last   place                      // of the latest unit written
	reader *topic.Reader
	sealed *topic.Seal // the latest that the edge was told
	skips  uint64
	anew   bool   // what comes next is to catch up
	until  uint64 // the position up to which it is; 0 once the edge has been told that it is over
}

// tap is a ring to be followed: of one epoch, or, as an edge's, of any that there are, which is the
// epoch 0.
type tap struct {
	ring  *topic.Ring
	epoch uint64
}

// RingMoved implements topic.Watcher.
func (f *feed) RingMoved() { f.out.wake(f) }

// follow begins with a ring: where the edge left the broadcast, however far behind that is by now,
// or at the ring's newest keyframe.
func (f *feed) follow(t *tap, maxBehind media.Time) {
	f.leave()
	f.reader = topic.NewFollower(t.ring, maxBehind)
	f.sealed, f.skips, f.anew = nil, 0, true
	if f.goesOn(t.epoch) {
		f.reader.Bound(0)
	}
	f.from = place{}
	f.ring.Store(t.ring)
	t.ring.Watch(f)
}

// goesOn has the reader go on where the edge is, and reports whether the ring has that: what is
// behind the unit that it had, which may be still to come, or all of a later epoch.
func (f *feed) goesOn(epoch uint64) bool {
	switch {
	case f.from.seq == 0, epoch != 0 && epoch < f.from.epoch:
		return false
	case epoch > f.from.epoch:
		return f.reader.First(epoch)
	}
	return f.reader.Resume(f.from.epoch, f.from.seq) || f.reader.Await(f.from.epoch, f.from.seq)
}

// comeBack has the next ring followed from where the edge is now.
func (f *feed) comeBack() {
	if f.last != (place{}) {
		f.from = f.last
	}
}

// leave ends following the present ring.
func (f *feed) leave() {
	if ring := f.ring.Swap(nil); ring != nil {
		ring.Unwatch(f)
	}
	f.reader = nil
	f.at.Store(0)
}

// gather appends what there is to a batch, as much as one subscription may take at a time. It
// reports whether there may be more.
func (f *feed) gather(b *batch) (more bool) {
	if f.reader == nil {
		return false
	}
	room := b.units[len(b.units):len(b.units):cap(b.units)]
	units := f.reader.Next(room, quantum)
	// After the units: who has read one behind a seal finds the seal.
	if s := f.ring.Load().Sealed(); s != f.sealed {
		f.sealed = s
		b.seal(f.id, s)
	}
	pos, seen := f.reader.Place()
	f.at.Store(int64(pos)) //nolint:gosec // a count
	if len(units) > 0 {
		f.begin(b, units, seen)
		b.add(f.id, units)
		f.last = place{units[len(units)-1].Epoch, units[len(units)-1].Seq}
	}
	if f.until != 0 && pos >= f.until {
		f.until = 0
		f.reader.Bound(f.out.maxBehind)
		b.id(typeEnd, f.id)
	}
	return f.reader.Pending() && len(units) > 0
}

// begin marks units that are to catch up: at first, and after a skip.
func (f *feed) begin(b *batch, units []*topic.Unit, seen uint64) {
	skips, _ := f.reader.Skips()
	if !f.anew && skips == f.skips {
		return
	}
	b.skips += int(skips - f.skips) //nolint:gosec // a small count
	f.skips, f.anew, f.until = skips, false, seen
	sequence(units)
	b.begin(f.id, units[0].Epoch)
}

// sequence puts the headers that units begin with in the order that they have at the origin.
func sequence(units []*topic.Unit) {
	for i := 1; i < len(units) && units[i].Role == roleHeader; i++ {
		for j := i; j > 0 && units[j-1].Role == roleHeader && units[j-1].Seq > units[j].Seq; j-- {
			units[j-1], units[j] = units[j], units[j-1]
		}
	}
}
