package process

import (
	"context"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Slots bound how many pictures a node works on at a time. More than it has cores would only delay
// each other, and with them every other goroutine.
type Slots struct{ free chan struct{} }

// NewSlots returns n slots, at least one.
func NewSlots(n int) *Slots { return &Slots{free: make(chan struct{}, max(1, n))} }

// take waits for a slot, first come first served. It returns nil when ctx is done. Nil slots are
// without bound; a nil gauge counts nothing.
func (s *Slots) take(ctx context.Context, busy prometheus.Gauge) *lease {
	l := &lease{busy: busy}
	if s != nil {
		l.free = s.free
		select {
		case l.free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
	}
	if busy != nil {
		busy.Inc()
	}
	return l
}

// lease is a slot that was taken.
type lease struct {
	free     chan struct{}
	busy     prometheus.Gauge
	returned atomic.Bool
}

// end gives the slot back, once: the worker does so when it is done, and its actor when it has
// given the worker up.
func (l *lease) end() {
	if !l.returned.CompareAndSwap(false, true) {
		return
	}
	if l.busy != nil {
		l.busy.Dec()
	}
	if l.free != nil {
		<-l.free
	}
}
