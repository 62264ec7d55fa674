package sim

import (
	"container/heap"
	"time"
)

// agenda is what the driver has to do, in order of time.
type agenda struct {
	entries entries
	n       int
}

type entry struct {
	at time.Time
	n  int // those of the same time stay in order
	do func()
}

func (a *agenda) add(at time.Time, do func()) {
	a.n++
	heap.Push(&a.entries, entry{at, a.n, do})
}

// due takes out the next entry if its time has come.
func (a *agenda) due(now time.Time) func() {
	if len(a.entries) == 0 || a.entries[0].at.After(now) {
		return nil
	}
	return heap.Pop(&a.entries).(entry).do
}

// next is when the next entry is due, the zero time when there is none.
func (a *agenda) next() time.Time {
	if len(a.entries) == 0 {
		return time.Time{}
	}
	return a.entries[0].at
}

type entries []entry

func (e entries) Len() int { return len(e) }
func (e entries) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].n < e[j].n
	}
	return e[i].at.Before(e[j].at)
}
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)   { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
