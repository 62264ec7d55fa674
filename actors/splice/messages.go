package splice

import "github.com/headwater-live/headwater/codec/media"

// Describe asks how things are; the answer is a *State.
type Describe struct{}

// State tells how a splice is.
type State struct {
	// Epoch is the active's, 0 as long as its mirror has brought nothing.
	Epoch uint64
	// Aligned says that own units are given under the active's numbers, TookOver that they are shown
	// in place of the active's.
	Aligned, TookOver bool
	// Delta is what is added to own times. It is Known if own units are given, or were.
	Delta media.Time
	Known bool
}

// moved wakes the actor up to read the own stream.
type moved struct{}

// tick is when the mirror may have been silent for too long. It is void unless it is the one that
// the actor waits for.
type tick struct{ _ byte }

// ear is told that the own stream's ring has moved, by whoever moved it.
type ear struct{ wake func() }

// RingMoved implements topic.Watcher.
func (e *ear) RingMoved() { e.wake() }
