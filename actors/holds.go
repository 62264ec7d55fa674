package actors

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// holds count who keeps which edge alive, and who stands beside it. It is what the actors of a node
// know of each other without a word, so that none has to be told again after a restart of another.
type holds struct {
	mu     sync.Mutex
	edges  map[string]hold
	hushed map[string]bool // keys

	splices map[what]*actor.PID
	spliced atomic.Int64 // how many those are: relays ask with each unit
}

// hold is how many keep an edge alive, and how many of those firmly.
type hold struct{ all, firm int }

// what an edge follows.
type what struct{ key, rendition string }

func newHolds() *holds {
	return &holds{
		edges: map[string]hold{}, hushed: map[string]bool{}, splices: map[what]*actor.PID{},
	}
}

// hold has an edge kept until release is called, once.
func (h *holds) hold(edge string, firm bool) (release func()) {
	one := hold{all: 1}
	if firm {
		one.firm = 1
	}
	return h.enter(edge, one)
}

// splice has what feeds an edge given to its splice too, until release is called, once.
func (h *holds) splice(key, rendition string, pid *actor.PID) (release func()) {
	of := what{key, rendition}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.splices[of] = pid
	h.spliced.Store(int64(len(h.splices)))
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.splices, of)
		h.spliced.Store(int64(len(h.splices)))
	}
}

// beside is the splice of what an edge follows, nil while there is none.
func (h *holds) beside(key, rendition string) *actor.PID {
	if h.spliced.Load() == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.splices[what{key, rendition}]
}

func (h *holds) enter(edge string, one hold) (release func()) {
	h.add(edge, one, 1)
	return func() { h.add(edge, one, -1) }
}

func (h *holds) add(edge string, one hold, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.edges[edge]
	now.all += n * one.all
	now.firm += n * one.firm
	if h.edges[edge] = now; now == (hold{}) {
		delete(h.edges, edge)
	}
}

func (h *holds) of(edge string) hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.edges[edge]
}

// hush has a broadcast add nothing of its own to what its publisher sends, or add it again.
func (h *holds) hush(key string, on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if on {
		h.hushed[key] = true
	} else {
		delete(h.hushed, key)
	}
}

// quiet reports whether it is to add nothing.
func (h *holds) quiet(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hushed[key]
}
