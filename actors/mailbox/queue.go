package mailbox

import "github.com/asynkron/protoactor-go/actor"

// queue is a ring of messages with their time of arrival. It starts without memory, as most actors
// of a node (one a viewer) hardly ever have more than one message waiting, and doubles as it must.
type queue struct {
	slots []slot
	head  int
	n     int
	loose int // how many of the n are Droppable: with none a full mailbox need not be searched
}

type slot struct {
	msg any
	at  int64
}

const firstSlots = 1

func (q *queue) push(msg any, at int64) {
	if q.n == len(q.slots) {
		q.grow()
	}
	q.slots[(q.head+q.n)&(len(q.slots)-1)] = slot{msg, at}
	q.n++
	if droppable(msg) {
		q.loose++
	}
}

func (q *queue) pop() any {
	msg := q.slots[q.head].msg
	q.slots[q.head] = slot{}
	q.head = (q.head + 1) & (len(q.slots) - 1)
	q.n--
	if droppable(msg) {
		q.loose--
	}
	return msg
}

// droppable tells whether a message, or what its envelope holds, may be dropped.
func droppable(msg any) bool {
	_, ok := actor.UnwrapEnvelopeMessage(msg).(Droppable)
	return ok
}

// oldest returns when the oldest message arrived, 0 when there is none.
func (q *queue) oldest() int64 {
	if q.n == 0 {
		return 0
	}
	return q.slots[q.head].at
}

// dropOldest takes out the oldest Droppable message, nil when there is none. In a mailbox flooded
// by media that is the first one; the search is long only among control messages.
func (q *queue) dropOldest() any {
	if q.loose == 0 {
		return nil
	}
	mask := len(q.slots) - 1
	for i := range q.n {
		at := (q.head + i) & mask
		msg := q.slots[at].msg
		if !droppable(msg) {
			continue
		}
		for j := i; j > 0; j-- { // close the gap from the front, so that order holds
			q.slots[(q.head+j)&mask] = q.slots[(q.head+j-1)&mask]
		}
		q.slots[q.head] = slot{}
		q.head = (q.head + 1) & mask
		q.n--
		q.loose--
		return msg
	}
	return nil
}

func (q *queue) grow() {
	bigger := make([]slot, max(firstSlots, 2*len(q.slots)))
	for i := range q.n {
		bigger[i] = q.slots[(q.head+i)&(len(q.slots)-1)]
	}
	q.slots, q.head = bigger, 0
}
