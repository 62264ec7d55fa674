// Package load watches how busy the node is, and widens the merge window when it is: one write for
// many access units costs a fraction of a write for each, and a node with no CPU to spare delays
// its viewers more than the window does.
package load

import "time"

// Bounds of the adaptive window.
const (
	// WindowMax is where the window stops to grow: beyond it there is little left to save.
	WindowMax  = 100 * time.Millisecond
	windowStep = 5 * time.Millisecond // the first step up, and the last one down
	busyAbove  = 0.50                 // widen: the other half is for what comes next
	idleBelow  = 0.30                 // narrow
)

// next is the window that follows the present one at a CPU utilisation from 0 to 1. It grows by
// half and shrinks by a quarter, so that it finds its place within seconds and does not swing.
func next(window time.Duration, utilisation float64) time.Duration {
	switch {
	case utilisation > busyAbove:
		return min(max(window*3/2, windowStep), WindowMax)
	case utilisation < idleBelow:
		if window = window * 3 / 4; window < windowStep {
			return 0
		}
	}
	return window
}
