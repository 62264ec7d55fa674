package process

import (
	"context"
	"sync/atomic"
)

// Slots bound how many pictures a node works on at a time. More than it has cores would only delay
// each other, and with them every other goroutine.
type Slots struct {
	free chan struct{}
	busy atomic.Int64
}

// NewSlots returns n slots, at least one.
func NewSlots(n int) *Slots { return &Slots{free: make(chan struct{}, max(1, n))} }

// Busy is how many slots are taken.
func (s *Slots) Busy() int {
	if s == nil {
		return 0
	}
	return int(s.busy.Load())
}

// take waits for a slot, first come first served. It returns nil when ctx is done.
func (s *Slots) take(ctx context.Context) *lease {
	if s == nil {
		return &lease{}
	}
	select {
	case s.free <- struct{}{}:
		s.busy.Add(1)
		return &lease{of: s}
	case <-ctx.Done():
		return nil
	}
}

// lease is a slot that was taken.
type lease struct {
	of       *Slots
	returned atomic.Bool
}

// end gives the slot back, once: the worker does so when it is done, and its actor when it has
// given the worker up.
func (l *lease) end() {
	if l.of != nil && l.returned.CompareAndSwap(false, true) {
		l.of.busy.Add(-1)
		<-l.of.free
	}
}
