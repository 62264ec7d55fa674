package link

// Reason is why a connection ended, out of a closed set.
type Reason uint8

// The reasons.
const (
	// Closed: the other node closed it, or has died.
	Closed Reason = iota
	// Silent: nothing came from the other node for longer than it may be silent.
	Silent
	// Refused: one of the two does not take the other.
	Refused
	// Malformed: what came is not of the protocol.
	Malformed
	// Unreachable: there was no connection.
	Unreachable
	// Stopped: this node ended it.
	Stopped
	// Failed: the network did.
	Failed
	reasons
)

// String returns the word that labels metrics.
func (r Reason) String() string {
	return [...]string{
		"closed", "silent", "refused", "malformed", "unreachable", "stopped", "failed",
	}[r]
}
