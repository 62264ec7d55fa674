package wire

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// table knows which questions are on their way, and which of others are being answered.
type table struct {
	next    uint64 // the ID of the next question
	waiting map[uint64]*waiting
	asking  map[string]int // the questions that a node has to answer, by its name
	serving map[string]int // the questions of a node that this one has to answer
}

// waiting is a question that has no answer yet.
type waiting struct {
	node, address string
	from          *actor.PID
	since         time.Time
	timer         *time.Timer
}

// newTable returns an empty table. Its IDs begin at a number that no former one has come to: what
// comes late for that is for nobody.
func newTable(first uint64) *table {
	return &table{
		next: first, waiting: map[uint64]*waiting{}, asking: map[string]int{},
		serving: map[string]int{},
	}
}

// ask enters a question, unless the node has too many to answer.
func (t *table) ask(w *waiting) (id uint64, ok bool) {
	if t.asking[w.node] >= inFlight {
		return 0, false
	}
	t.asking[w.node]++
	t.next++
	t.waiting[t.next] = w
	return t.next, true
}

// done takes a question out, and returns nil if it was taken out before or never asked of that
// node.
func (t *table) done(id uint64, node string) *waiting {
	w := t.waiting[id]
	if w == nil || node != "" && w.node != node {
		return nil
	}
	delete(t.waiting, id)
	leave(t.asking, w.node)
	return w
}

// lost takes out what was asked at an address.
func (t *table) lost(address string) []*waiting {
	var out []*waiting
	for id, w := range t.waiting {
		if w.address == address {
			out = append(out, t.done(id, ""))
		}
	}
	return out
}

// serve notes a question of a node, and reports whether it may be answered now.
func (t *table) serve(node string) bool {
	if t.serving[node] >= inFlight {
		return false
	}
	t.serving[node]++
	return true
}

func (t *table) served(node string) { leave(t.serving, node) }

func leave(counts map[string]int, node string) {
	if counts[node]--; counts[node] <= 0 {
		delete(counts, node)
	}
}
