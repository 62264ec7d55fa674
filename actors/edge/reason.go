package edge

// Reason is why a viewer's connection ended, out of a closed set.
type Reason uint8

// The reasons.
const (
	// Left: the viewer closed the connection.
	Left Reason = iota
	// Stalled: the viewer took nothing for longer than Bounds.Stall.
	Stalled
	// TooSlow: the viewer skipped more often than Bounds.Skips allows.
	TooSlow
	// NotFound: the broadcast did not begin within Bounds.Wait.
	NotFound
	// Ended: the broadcast ended and did not come back within Bounds.Wait.
	Ended
	// Draining: this node lets its viewers go.
	Draining
	// Broken: the connection failed.
	Broken
	reasons
)

// String returns the word that labels metrics.
func (r Reason) String() string {
	return [...]string{
		"left", "stalled", "too_slow", "not_found", "ended", "draining", "broken",
	}[r]
}

// Text returns the sentence that the viewer is told.
func (r Reason) Text() string {
	return [...]string{
		"the viewer left",
		"the viewer took nothing for too long",
		"the viewer's connection is too slow for this broadcast",
		"there is no such broadcast",
		"the broadcast has ended",
		"the node is draining; connect again",
		"the connection failed",
	}[r]
}
