package loudness

import (
	"context"
	"testing"

	"github.com/headwater-live/headwater/actors/topic"
)

// A full queue loses its oldest units, and what is in it comes in order.
func TestQueueLeaks(t *testing.T) {
	q := newQueue()
	for i := range uint64(queueLength + 100) {
		if dropped := q.push(&topic.Unit{Seq: i}); dropped != (i >= queueLength) {
			t.Errorf("unit %d: dropped %v", i, dropped)
		}
	}
	if n := q.losses(); n != 100 {
		t.Errorf("%d losses", n)
	}
	for i := range uint64(queueLength) {
		if u := q.next(t.Context()); u.Seq != i+100 {
			t.Fatalf("unit %d comes, want %d", u.Seq, i+100)
		}
	}
	for i, u := range q.units {
		if u != nil {
			t.Errorf("the queue keeps unit %d", i)
		}
	}
}

// Who waits is woken by a unit, and by the end.
func TestQueueWaits(t *testing.T) {
	q := newQueue()
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan *topic.Unit)
	go func() {
		for {
			u := q.next(ctx)
			got <- u
			if u == nil {
				return
			}
		}
	}()
	for i := range uint64(10_000) {
		q.push(&topic.Unit{Seq: i})
		if u := <-got; u.Seq != i {
			t.Fatalf("unit %d comes, want %d", u.Seq, i)
		}
	}
	cancel()
	if u := <-got; u != nil {
		t.Errorf("unit %d comes after the end", u.Seq)
	}
	q.push(&topic.Unit{})
	if q.next(ctx) != nil {
		t.Error("a unit comes after the end")
	}
}

func TestQueueAllocations(t *testing.T) {
	q, u := newQueue(), &topic.Unit{}
	if n := testing.AllocsPerRun(1000, func() { q.push(u); q.push(u); q.poll() }); n != 0 {
		t.Errorf("%v allocations a unit", n)
	}
}
