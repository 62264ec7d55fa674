package mailbox

// queue is a ring of messages with their time of arrival. It starts without memory, as most actors
// of a node (one a viewer) hardly ever have a message waiting, and doubles as it must.
type queue struct {
	slots []slot
	head  int
	n     int
}

type slot struct {
	msg any
	at  int64
}

const firstSlots = 4

func (q *queue) push(msg any, at int64) {
	if q.n == len(q.slots) {
		q.grow()
	}
	q.slots[(q.head+q.n)&(len(q.slots)-1)] = slot{msg, at}
	q.n++
}

func (q *queue) pop() any {
	msg := q.slots[q.head].msg
	q.slots[q.head] = slot{}
	q.head = (q.head + 1) & (len(q.slots) - 1)
	q.n--
	return msg
}

// oldest returns when the oldest message arrived, 0 when there is none.
func (q *queue) oldest() int64 {
	if q.n == 0 {
		return 0
	}
	return q.slots[q.head].at
}

// dropOldest takes out the oldest Droppable message, nil when there is none. In a mailbox flooded by
// media that is the first one; the search is long only among control messages.
func (q *queue) dropOldest() any {
	mask := len(q.slots) - 1
	for i := range q.n {
		at := (q.head + i) & mask
		msg := q.slots[at].msg
		if _, ok := msg.(Droppable); !ok {
			continue
		}
		for j := i; j > 0; j-- { // close the gap from the front, so that order holds
			q.slots[(q.head+j)&mask] = q.slots[(q.head+j-1)&mask]
		}
		q.slots[q.head] = slot{}
		q.head = (q.head + 1) & mask
		q.n--
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
