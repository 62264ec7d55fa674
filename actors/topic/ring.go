package topic

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// Limits bound what a ring keeps.
type Limits struct {
	// Bytes is the bound in bytes of memory; the oldest units go first, whatever they are.
	Bytes int
	// Time is how much is kept of what lies before the last GOP; the last GOP is kept whole while
	// Bytes allows.
	Time media.Time
}

// DefaultLimits are 32 MiB and 8 s: four GOPs of a common encoder, for viewers who fall behind.
func DefaultLimits() Limits { return Limits{Bytes: 32 << 20, Time: 8 * media.Second} }

// Ring keeps the recent units of a topic. One writer, the topic's actor, appends; any number of
// readers follow without locks. It outlives the actor's restarts: readers keep their place.
//
// A position counts the units ever appended. Slot positions are reused, so a reader loads a slot
// first and then checks that the tail has not passed the position: the writer moves the tail before
// it reuses a slot, and Go's atomics are sequentially consistent.
type Ring struct {
	limits  Limits
	table   atomic.Pointer[[]atomic.Pointer[Unit]] // a power of two of slots; grows, never shrinks
	tail    atomic.Uint64                          // oldest position kept
	head    atomic.Uint64                          // next position to be written
	visible atomic.Uint64                          // readers may read below
	entry   atomic.Pointer[Entry]                  // the newest
	shown   atomic.Pointer[Entry]                  // the newest that is visible
	bytes   atomic.Int64
	newest  atomic.Int64 // DTS of the unit before head
	clock   atomic.Int64 // Unix nanoseconds of the latest WakeAll
	sealed  atomic.Pointer[Seal]
	mark    mark // the writer's
	since   time.Time
	given   bool // to a reader; the writer's

	watchers atomic.Pointer[[]Watcher]

	turn   atomic.Pointer[chan struct{}] // the present one
	nudged atomic.Bool                   // a WakeAll is on its way
	mu     sync.Mutex                    // of those who end a turn
}

// Entry is a place where a decoder can begin: a keyframe and the headers it needs.
type Entry struct {
	Pos     uint64
	Headers Headers
	unit    *Unit
}

// mark is how far the machine has come, for the machine that takes over after a restart.
type mark struct {
	epoch, seq uint64
	headers    Headers
	last       [media.Kinds]media.Time // decoding time of the latest unit
	end        [media.Kinds]media.Time // when all units are over
	offset     media.Time              // added to the epoch's times, so that they do not fall
	began      bool
	waitKey    bool // video is missing something that it refers to
}

// firstSlots are few: an edge that follows what is not on the air has nothing to keep.
const firstSlots = 8

// overhead is what a unit costs in memory beside its payload. It counts towards Limits.Bytes: else
// a publisher of empty messages could fill the node's memory below that bound.
const overhead = 256

// NewRing returns an empty ring.
func NewRing(limits Limits) *Ring {
	r := &Ring{limits: limits, since: time.Now()}
	slots := make([]atomic.Pointer[Unit], firstSlots)
	r.table.Store(&slots)
	first := make(chan struct{})
	r.turn.Store(&first)
	r.clock.Store(r.since.UnixNano())
	return r
}

// Bytes is how much payload the ring keeps.
func (r *Ring) Bytes() int64 { return r.bytes.Load() }

// Len is how many units the ring keeps.
func (r *Ring) Len() int { return int(r.head.Load() - r.tail.Load()) }

// Span is how much time lies between the oldest and the newest unit that the ring keeps.
func (r *Ring) Span() media.Time {
	oldest := r.at(r.tail.Load())
	if oldest == nil {
		return 0
	}
	return max(0, media.Time(r.newest.Load())-oldest.DTS)
}

// Entry returns the newest place to begin, nil when there is none in the ring.
func (r *Ring) Entry() *Entry { return r.kept(r.entry.Load()) }

// visibleEntry is Entry for readers: in a merge window, the newest may not be theirs yet.
func (r *Ring) visibleEntry() *Entry { return r.kept(r.shown.Load()) }

func (r *Ring) kept(e *Entry) *Entry {
	if e == nil || e.Pos < r.tail.Load() {
		return nil
	}
	return e
}

// describe is the writer's.
func (r *Ring) describe() *Description {
	d := &Description{Headers: r.mark.headers, Since: r.since}
	if oldest := r.at(r.tail.Load()); oldest != nil {
		if span := media.Time(r.newest.Load()) - oldest.DTS; span > 0 {
			d.BitsPerSecond = float64(8*r.bytes.Load()) / span.Seconds()
		}
	}
	return d
}

// append adds a unit, after making room for it. entry says that a decoder can begin with it.
func (r *Ring) append(u *Unit, entry bool, headers Headers) {
	pos := r.head.Load()
	gop := pos // where the last GOP begins
	if e := r.entry.Load(); e != nil && !entry {
		gop = e.Pos
	}
	r.bytes.Add(int64(u.Size()))
	r.evict(pos, gop, u.DTS)
	table := *r.table.Load()
	if pos-r.tail.Load() == uint64(len(table)) {
		table = r.grow(table, pos)
	}
	table[pos&uint64(len(table)-1)].Store(u)
	r.newest.Store(int64(u.DTS))
	r.head.Store(pos + 1)
	if entry {
		r.entry.Store(&Entry{Pos: pos, Headers: headers, unit: u}) // last: an entry is never beyond head
	}
}

// evict drops what is beyond the limits, now that a unit of time dts is to be at pos and the last
// GOP begins at gop.
func (r *Ring) evict(pos, gop uint64, dts media.Time) {
	table := *r.table.Load()
	mask := uint64(len(table) - 1)
	for tail := r.tail.Load(); tail < pos; tail++ {
		slot := &table[tail&mask]
		old := slot.Load()
		spare := tail < gop && dts-old.DTS > r.limits.Time
		if !spare && r.bytes.Load()+overhead*int64(pos-tail+1) <= int64(r.limits.Bytes) {
			return
		}
		r.tail.Store(tail + 1)
		slot.Store(nil)
		r.bytes.Add(-int64(old.Size()))
	}
}

// grow doubles the table. A reader that still holds the old one finds in it all that it may read.
func (r *Ring) grow(table []atomic.Pointer[Unit], head uint64) []atomic.Pointer[Unit] {
	bigger := make([]atomic.Pointer[Unit], 2*len(table))
	for pos := r.tail.Load(); pos < head; pos++ {
		u := table[pos&uint64(len(table)-1)].Load()
		bigger[pos&uint64(len(bigger)-1)].Store(u)
	}
	r.table.Store(&bigger)
	return bigger
}

// at returns the unit at a position, nil if the ring does not keep it (any more).
func (r *Ring) at(pos uint64) *Unit {
	table := *r.table.Load()
	u := table[pos&uint64(len(table)-1)].Load()
	if pos < r.tail.Load() {
		return nil
	}
	return u
}

// Publish lets readers see all that was appended, and wakes those who wait.
func (r *Ring) Publish() {
	r.mu.Lock()
	entry := r.entry.Load()        // before head, which is never behind it
	r.visible.Store(r.head.Load()) // locked, or a slower Publish would take back what it never saw
	r.shown.Store(entry)
	over := r.endTurn()
	r.mu.Unlock()
	close(over)
}

// WakeAll wakes those who wait, whether or not there is something to read.
func (r *Ring) WakeAll() {
	r.clock.Store(time.Now().UnixNano())
	r.mu.Lock()
	over := r.endTurn()
	r.mu.Unlock()
	close(over)
}

// nudgeTime is how long nudges gather: when a crowd of readers is to end, each is woken once or
// twice, not once for each other.
const nudgeTime = 5 * time.Millisecond

// Nudge has those who wait woken soon, for the sake of one of them.
func (r *Ring) Nudge() {
	if r.nudged.CompareAndSwap(false, true) {
		time.AfterFunc(nudgeTime, func() {
			r.nudged.Store(false)
			r.WakeAll()
		})
	}
}

// endTurn is called with mu held.
func (r *Ring) endTurn() chan struct{} {
	next := make(chan struct{})
	return *r.turn.Swap(&next)
}

// Turn returns what is closed at the end of the present turn: at the next Publish or WakeAll. A
// reader asks for it before it looks for more, and waits for it when it has found none: what was
// published in between has ended that turn. All readers wait for the same channel, so that they
// share no lock and a turn costs the ring the same for any number of them.
func (r *Ring) Turn() <-chan struct{} { return *r.turn.Load() }

// Clock tells the time in Unix nanoseconds, as of the latest WakeAll, which is about a second ago
// at the most: its many readers need not read a clock of their own for each unit.
func (r *Ring) Clock() int64 { return r.clock.Load() }
