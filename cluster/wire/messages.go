package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// Version is that of the protocol. A node of another one answers what it knows. Version 2 has Left.
const Version = 2

// Ask asks another node. The answer is an *Answered.
type Ask struct {
	Node string
	// Question is a *settings.Command, *settings.Adopt, *State, *List, *Drain or *Left.
	Question any
	// Within is how long the answer may take, 0 for the usual time.
	Within time.Duration
}

// Answered is the end of an Ask.
type Answered struct {
	// Reply is, by the question, a *settings.Answer, *settings.Adopted, *Stated, *Listed or
	// *Drained; nil if there is an error.
	Reply any
	// Err is a *settings.Refused, or wraps ErrNotFound, ErrUnknown or ErrNode.
	Err error
}

// What an Answered's error may be.
var (
	// ErrNode says that a node cannot be asked, or does not answer.
	ErrNode = errors.New("no answer")
	// ErrNotFound says that there is no such thing on that node.
	ErrNotFound = errors.New("not found")
	// ErrUnknown says that the node is of a version that does not know the question.
	ErrUnknown = errors.New("that node does not know the command")
)

// State asks what a node has of a broadcast; the answer is a *Stated.
type State struct{ Key string }

// Stated is what it has.
type Stated struct {
	// Epoch is 0 if the node carries no such broadcast.
	Epoch      uint64
	Publishing bool
	// Last is how far the timeline had come Age ago.
	Last    media.Time
	HasLast bool
	Age     time.Duration
	// Version and Data are its settings, a record; 0 if nothing was commanded of it there.
	Version uint64
	Data    []byte
}

// List asks what a node carries; the answer is a *Listed.
type List struct{}

// Listed is what it carries.
type Listed struct{ Broadcasts []Broadcast }

// Broadcast is one of them.
type Broadcast struct {
	Key          string
	Epoch        uint64
	Publishing   bool
	Viewers      int
	Video, Audio string
	Bitrate      int64 // bits a second
	Since        time.Time
}

// Drain has a node take nobody any more and let its viewers go; Off ends that. Move has publishers
// go too, and Stop the process end once nothing is left. The answer is a *Drained.
type Drain struct{ Off, Move, Stop bool }

// Left asks what a node has left; the answer is a *Drained.
type Left struct{}

// Drained says what it has left.
type Drained struct {
	Draining                   bool
	Broadcasts, Viewers, Feeds int
}

// nodeError says which node did not answer and why.
func nodeError(node, format string, values ...any) error {
	return fmt.Errorf("node %s: %w: %s", node, ErrNode, fmt.Sprintf(format, values...))
}

// isQuestion tells whether a value may be asked.
func isQuestion(q any) bool {
	switch q.(type) {
	case *settings.Command, *settings.Adopt, *State, *List, *Drain, *Left:
		return true
	}
	return false
}
