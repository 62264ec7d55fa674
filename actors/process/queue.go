package process

import (
	"context"
	"sync"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// queue is what waits for the worker: units in order, and the latest order.
type queue struct {
	bound Queue

	mu    sync.Mutex
	items []item // from first on
	first int
	bytes int
	gap   bool // units were dropped behind the last item
	order *Order
	drill bool
	wake  chan struct{}
}

// item is a unit that waits, or the place where decoding has caught up with the source.
type item struct {
	unit    Unit
	at      time.Time // when it came
	catchup bool      // it is older than the subscription: decoded, not encoded
	live    bool      // no unit: what came before the subscription ends here
}

// work is what the worker does next.
type work struct {
	order *Order
	drill bool
	item  *item
}

func newQueue(bound Queue) *queue {
	usual := DefaultQueue()
	if bound.Units <= 0 {
		bound.Units = usual.Units
	}
	if bound.Bytes <= 0 {
		bound.Bytes = usual.Bytes
	}
	return &queue{bound: bound, wake: make(chan struct{}, 1)}
}

// push appends an item. When that is more than the bound, all units that wait are dropped, the new
// one too, and their number is returned: the source's next IDR picture is where it goes on.
func (q *queue) push(i item) (dropped int) {
	q.mu.Lock()
	defer q.signal()
	defer q.mu.Unlock()
	i.unit.Gap = i.unit.Gap || q.gap
	if !i.live {
		q.gap = false
	}
	q.items = append(q.items, i)
	q.bytes += len(i.unit.Body)
	if len(q.items)-q.first > q.bound.Units || q.bytes > q.bound.Bytes {
		return q.drop(len(q.items))
	}
	return 0
}

// drop drops the units in front of items[to] and says how many; what is no unit stays in place. The
// caller holds mu.
func (q *queue) drop(to int) (n int) {
	kept := q.items[:0:0]
	for _, i := range q.items[q.first:to] {
		if i.live {
			kept = append(kept, i)
			continue
		}
		q.bytes -= len(i.unit.Body)
		n++
	}
	kept = append(kept, q.items[to:]...)
	q.items, q.first = kept, 0
	if n == 0 {
		return 0
	}
	for i := range kept {
		if !kept[i].live {
			kept[i].unit.Gap = true
			return n
		}
	}
	q.gap = true
	return n
}

// skip drops what waits in front of the newest keyframe, and says how much that is. With no
// keyframe all of it goes.
func (q *queue) skip() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	to := len(q.items)
	for i := len(q.items) - 1; i >= q.first; i-- {
		if q.items[i].unit.Role == media.Keyframe && !q.items[i].live {
			to = i
			break
		}
	}
	return q.drop(to)
}

// lost says that a unit which was taken out was not decoded.
func (q *queue) lost() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := q.first; i < len(q.items); i++ {
		if !q.items[i].live {
			q.items[i].unit.Gap = true
			return
		}
	}
	q.gap = true
}

// command replaces the order.
func (q *queue) command(o *Order) {
	q.mu.Lock()
	q.order = o
	q.mu.Unlock()
	q.signal()
}

// segfault asks for the drill.
func (q *queue) segfault() {
	q.mu.Lock()
	q.drill = true
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for work: an order before any unit. It reports false when ctx is done.
func (q *queue) next(ctx context.Context) (work, bool) {
	for ctx.Err() == nil {
		if w, ok := q.take(); ok {
			return w, true
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
		}
	}
	return work{}, false
}

func (q *queue) take() (work, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.order != nil || q.drill:
		w := work{order: q.order, drill: q.drill}
		q.order, q.drill = nil, false
		return w, true
	case q.first < len(q.items):
		i := q.items[q.first]
		q.items[q.first] = item{}
		q.first++
		q.bytes -= len(i.unit.Body)
		if q.first == len(q.items) {
			q.items, q.first = q.items[:0], 0
		}
		return work{item: &i}, true
	}
	return work{}, false
}
