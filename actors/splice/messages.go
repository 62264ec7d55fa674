package splice

// Gone tells that the way by which the mirror comes is gone: its link is lost, or the active said
// that it does not carry the broadcast any more. What the mirror brings next takes it back.
type Gone struct{}

// Describe asks how things are; the answer is a *State.
type Describe struct{}

// State tells how a splice is.
type State struct {
	// Epoch is the active's, 0 as long as its mirror has brought nothing.
	Epoch uint64
	// Aligned says that own units are given under the active's numbers, TookOver that they are shown
	// in place of the active's.
	Aligned, TookOver bool
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
