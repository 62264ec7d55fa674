package actors

import "sync"

// holds count who keeps which edge alive, and who stands beside it. It is what the actors of a node
// know of each other without a word, so that none has to be told again after a restart of another.
type holds struct {
	mu     sync.Mutex
	edges  map[string]hold
	hushed map[string]bool // keys
}

// hold is how many keep an edge alive, how many of those firmly, and how many splices feed it.
type hold struct{ all, firm, spliced int }

func newHolds() *holds { return &holds{edges: map[string]hold{}, hushed: map[string]bool{}} }

// hold has an edge kept until release is called, once.
func (h *holds) hold(edge string, firm bool) (release func()) {
	one := hold{all: 1}
	if firm {
		one.firm = 1
	}
	return h.enter(edge, one)
}

// splice has what feeds an edge given to its splice too, until release is called, once.
func (h *holds) splice(edge string) (release func()) { return h.enter(edge, hold{spliced: 1}) }

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
	now.spliced += n * one.spliced
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
