// Package own starts goroutines. It is the only place that may say go: every goroutine belongs to a
// Group, every Group to an actor, and the actor does not end before its goroutines have. What would
// be a leak elsewhere is a gauge here that is not zero.
package own

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Counts are the goroutines of one kind of owner.
type Counts struct {
	// Running is how many run now.
	Running atomic.Int64
	// Started counts all that were ever started.
	Started atomic.Uint64
	// Left is how many run now that have outlived their owner's stop deadline. It should be zero.
	Left atomic.Int64
}

// Panic is the failure of an owned goroutine.
type Panic struct {
	// Name says which of the owner's goroutines panicked.
	Name string
	// Value is what it panicked with.
	Value any
	// Stack is where.
	Stack []byte
}

// Error implements error.
func (p *Panic) Error() string { return fmt.Sprintf("goroutine %s panicked: %v", p.Name, p.Value) }

// Group holds the goroutines of one incarnation of one actor.
type Group struct {
	counts *Counts
	failed func(*Panic)

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the group is its life; nil before the first
	cancel  context.CancelFunc
	n       int
	left    int // of n, when Stop gave up waiting
	stopped bool
	idle    chan struct{} // made by Stop, closed when n falls to zero
}

// NewGroup returns an empty group that counts into counts. failed is told of a panic in one of its
// goroutines, on that goroutine; the owner turns it into its own failure.
func NewGroup(counts *Counts, failed func(*Panic)) *Group {
	return &Group{counts: counts, failed: failed}
}

// Go runs fn on a new goroutine of the group. fn must return soon after its context is done. It
// reports false, and runs nothing, when the group has been stopped.
func (g *Group) Go(name string, fn func(context.Context)) bool {
	g.mu.Lock()
	if g.stopped {
		g.mu.Unlock()
		return false
	}
	if g.ctx == nil { // most owners never start one
		g.ctx, g.cancel = context.WithCancel(context.Background())
	}
	ctx := g.ctx
	g.n++
	g.mu.Unlock()
	g.counts.Running.Add(1)
	g.counts.Started.Add(1)
	go g.run(ctx, name, fn)
	return true
}

func (g *Group) run(ctx context.Context, name string, fn func(context.Context)) {
	defer g.done()
	defer func() {
		if value := recover(); value != nil {
			g.failed(&Panic{Name: name, Value: value, Stack: debug.Stack()})
		}
	}()
	fn(ctx)
}

func (g *Group) done() {
	g.counts.Running.Add(-1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if g.left > 0 {
		g.left--
		g.counts.Left.Add(-1)
	}
	if g.n == 0 && g.idle != nil {
		close(g.idle)
	}
}

// Len is how many of the group's goroutines run.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n
}

// Cancel asks the goroutines to end, and starts no more.
func (g *Group) Cancel() {
	g.mu.Lock()
	g.stopped = true
	cancel := g.cancel
	g.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// Stop asks the goroutines to end and waits for them, at most for the deadline. It returns how many
// still run, which are then counted as left.
func (g *Group) Stop(deadline time.Duration) int {
	g.Cancel()
	g.mu.Lock()
	if g.n == 0 {
		g.mu.Unlock()
		return 0
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()

	timer := time.NewTimer(deadline)
	defer timer.Stop()
	select {
	case <-idle:
		return 0
	case <-timer.C:
		return g.giveUp()
	}
}

// giveUp counts those that still run as left, until each has ended after all.
func (g *Group) giveUp() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts.Left.Add(int64(g.n - g.left))
	g.left = g.n
	return g.n
}
