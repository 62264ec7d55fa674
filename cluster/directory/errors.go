package directory

import (
	"errors"
	"fmt"
)

// ErrNotHeld says that this node is no member of the cluster now: its lease may be over.
var ErrNotHeld = errors.New("this node's lease is not held")

// ErrBusy says that others claim the same key again and again.
var ErrBusy = errors.New("others claim the key at the same time")

// PublishedError says that another node has the publisher of a key.
type PublishedError struct{ Key, Node string }

// Error implements error.
func (e *PublishedError) Error() string {
	return fmt.Sprintf("%s is being published already, on node %s", e.Key, e.Node)
}
