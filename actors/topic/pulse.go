package topic

import (
	"sync"
	"sync/atomic"
	"time"
)

// Window is the merge window of a node: how long units may gather before readers are woken, in
// exchange for fewer system calls. It is shared by all topics and may change at any time.
type Window struct{ nanos atomic.Int64 }

// MaxWindow bounds the merge window.
const MaxWindow = 350 * time.Millisecond

// Set changes the window.
func (w *Window) Set(d time.Duration) { w.nanos.Store(int64(min(max(d, 0), MaxWindow))) }

// Get returns the window.
func (w *Window) Get() time.Duration { return time.Duration(w.nanos.Load()) }

// pulse lets the readers of a ring see what was appended, at once or at the end of the window.
type pulse struct {
	ring   *Ring
	window *Window

	mu    sync.Mutex
	last  time.Time
	armed bool
	timer *time.Timer
}

// appended is called after each append.
func (p *pulse) appended() {
	window := p.window.Get()
	if window == 0 {
		p.ring.Publish()
		return
	}
	p.mu.Lock()
	if p.armed {
		p.mu.Unlock()
		return
	}
	now := time.Now()
	wait := window - now.Sub(p.last)
	if wait <= 0 {
		p.last = now
		p.mu.Unlock()
		p.ring.Publish()
		return
	}
	p.armed = true
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, p.fire)
	} else {
		p.timer.Reset(wait)
	}
	p.mu.Unlock()
}

func (p *pulse) fire() {
	p.mu.Lock()
	p.armed = false
	p.last = time.Now()
	p.mu.Unlock()
	p.ring.Publish()
}

// stop publishes what is left.
func (p *pulse) stop() {
	p.mu.Lock()
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	p.ring.Publish()
}
