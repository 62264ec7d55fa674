package loudness

import (
	"context"
	"sync"

	"github.com/headwater-live/headwater/actors/topic"
)

// queueLength is how many units wait at most: the audio of a snapshot of five seconds.
const queueLength = 256

// queue is what the actor hands to its goroutine. When it is full the oldest unit makes room: a
// meter shows what is now.
type queue struct {
	ready chan struct{} // holds a token when there may be something

	mu      sync.Mutex
	units   [queueLength]*topic.Unit
	first   int
	n       int
	dropped uint64
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// push adds a unit and reports whether that cost another.
func (q *queue) push(u *topic.Unit) (dropped bool) {
	q.mu.Lock()
	if q.n == queueLength {
		q.take()
		q.dropped++
		dropped = true
	}
	q.units[(q.first+q.n)%queueLength] = u
	q.n++
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return dropped
}

// take removes the oldest unit.
func (q *queue) take() *topic.Unit {
	u := q.units[q.first]
	q.units[q.first] = nil // the topic's ring decides how long it lives
	q.first = (q.first + 1) % queueLength
	q.n--
	return u
}

// next waits for a unit. It is nil when ctx is done.
func (q *queue) next(ctx context.Context) *topic.Unit {
	for ctx.Err() == nil {
		if u := q.poll(); u != nil {
			return u
		}
		select {
		case <-ctx.Done():
		case <-q.ready:
		}
	}
	return nil
}

func (q *queue) poll() *topic.Unit {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == 0 {
		return nil
	}
	return q.take()
}

// losses is how many units made room.
func (q *queue) losses() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
