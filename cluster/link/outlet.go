package link

import (
	"slices"
	"sync"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// outlet is the origin's end of a link: the edge's subscriptions, and which of them have something
// to be written. They take turns.
type outlet struct {
	control   *control
	maxBehind media.Time

	mu    sync.Mutex
	feeds map[uint32]*feed
	byKey map[string][]*feed
	queue []*feed // of those that are ready; what is before first has had its turn
	first int
}

func newOutlet(c *control, maxBehind media.Time) *outlet {
	return &outlet{
		control: c, maxBehind: maxBehind, feeds: map[uint32]*feed{},
		byKey: map[string][]*feed{},
	}
}

// mostFeeds bounds the subscriptions of one edge.
const mostFeeds = 100_000

// subscribe enters a subscription and returns it, nil if it cannot be.
func (o *outlet) subscribe(id uint32, key, rendition string, from place) *feed {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.feeds[id] != nil || len(o.feeds) >= mostFeeds {
		return nil
	}
	f := &feed{out: o, id: id, key: key, rendition: rendition, wanted: from, from: from}
	o.feeds[id] = f
	o.byKey[key] = append(o.byKey[key], f)
	return f
}

// unsubscribe ends a subscription and returns it, nil if there is none.
func (o *outlet) unsubscribe(id uint32) *feed {
	o.mu.Lock()
	f := o.feeds[id]
	delete(o.feeds, id)
	if f != nil {
		f.closed = true
		rest := slices.DeleteFunc(o.byKey[f.key], func(other *feed) bool { return other == f })
		if o.byKey[f.key] = rest; len(rest) == 0 {
			delete(o.byKey, f.key)
		}
	}
	o.mu.Unlock()
	if f != nil {
		o.wake(f)
	}
	return f
}

// attach gives the subscriptions to a rendition its ring. Those that follow it already are left
// alone.
func (o *outlet) attach(key, rendition string, t *tap) {
	for _, f := range o.of(key) {
		if f.rendition != rendition {
			continue
		}
		o.mu.Lock()
		same := f.next == nil && f.ring.Load() == t.ring
		if !same {
			f.next = t
		}
		f.finished = false
		o.mu.Unlock()
		o.wake(f)
	}
}

// finish tells the subscriptions to a broadcast that it is gone.
func (o *outlet) finish(key string) {
	for _, f := range o.of(key) {
		o.mu.Lock()
		f.finished = true
		o.mu.Unlock()
		o.wake(f)
	}
}

// of returns the subscriptions to a broadcast.
func (o *outlet) of(key string) []*feed {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.byKey[key])
}

// wake gives a subscription a turn. Anybody may call it.
func (o *outlet) wake(f *feed) {
	if f.ready.Swap(true) {
		return
	}
	o.mu.Lock()
	o.queue = append(o.queue, f)
	o.mu.Unlock()
	o.control.ring()
}

// turn takes the next subscription out of the queue, nil if there is none.
func (o *outlet) turn() *feed {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first == len(o.queue) {
		o.queue, o.first = o.queue[:0], 0
		return nil
	}
	f := o.queue[o.first]
	o.queue[o.first] = nil
	if o.first++; o.first > len(o.queue)/2 && o.first > 64 {
		n := copy(o.queue, o.queue[o.first:])
		clear(o.queue[n:])
		o.queue, o.first = o.queue[:n], 0
	}
	return f
}

// gather fills a batch. It is the writer's.
func (o *outlet) gather(b *batch) {
	for !b.full() {
		f := o.turn()
		if f == nil {
			return
		}
		f.ready.Store(false) // first: who has something more gives it another turn
		if o.over(f) {
			f.leave()
			continue
		}
		if f.gather(b) || o.advance(f, b) {
			o.wake(f)
		}
	}
}

func (o *outlet) over(f *feed) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return f.closed
}

// advance has a subscription that has read its ring to the end go on with what is next.
func (o *outlet) advance(f *feed, b *batch) (more bool) {
	o.mu.Lock()
	next, finished := f.next, f.finished
	f.next, f.finished = nil, false
	o.mu.Unlock()
	switch {
	case next != nil:
		f.comeBack() // the next ring may have what follows
		f.follow(next, o.maxBehind)
		return true
	case finished:
		f.leave()
		f.comeBack() // as after a restart of the directory
		b.id(typeGone, f.id)
	}
	return false
}

// close ends all subscriptions, when nobody writes any more.
func (o *outlet) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.feeds {
		f.closed = true
		f.leave()
	}
	for _, f := range o.queue[o.first:] { // the writer did not come to those that were ended
		f.leave()
	}
}

// waiting is how many bytes wait for the link in the rings.
func (o *outlet) waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := 0
	for _, f := range o.feeds {
		if ring := f.ring.Load(); ring != nil {
			size, _ := waitingOf(ring, f)
			sum += size
		}
	}
	return sum
}

func waitingOf(ring *topic.Ring, f *feed) (int, media.Time) {
	if f.at.Load() == 0 { // it has not begun
		return 0, 0
	}
	return ring.Waiting(uint64(f.at.Load())) //nolint:gosec // a count
}
