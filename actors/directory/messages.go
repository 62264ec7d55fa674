package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// Policy says what becomes of a publisher whose key is being published already.
type Policy uint8

const (
	// Takeover gives the key to the newcomer: it is most likely the same publisher, whose lost
	// connection is not noticed yet.
	Takeover Policy = iota
	// Reject refuses the newcomer while the present publisher is connected.
	Reject
)

// Claim asks for the right to publish a key. The answer is a *Granted or a *Refused.
type Claim struct {
	Key    string
	Policy Policy
	// Floor is below the epoch.
	Floor uint64
}

// Granted names the epoch under which the claimant publishes.
type Granted struct {
	Epoch uint64
	// Start is where the timeline of the former epoch has come to by now, if there was one.
	Start    media.Time
	HasStart bool
}

// Refused says why not.
type Refused struct{ Reason string }

// Announce tells that a topic carries a broadcast here, and whether its publisher is connected. It
// is repeated at each change and whenever the directory has lost its memory.
type Announce struct {
	Key   string
	Epoch uint64
	// Topic carries what the publisher sends, Gate gives the broadcast's renditions out.
	Topic, Gate *actor.PID
	Publishing  bool
}

// Withdraw tells that a topic carries its broadcast no more, and how far it came.
type Withdraw struct {
	Key      string
	Epoch    uint64
	Last     media.Time
	HasLast  bool
	LastTime time.Time
}

// Supersede tells a topic that its epoch is over: another has been, or is about to be, granted. It
// accepts no more units and answers the sender with Superseded.
type Supersede struct {
	Epoch uint64
	// Node has it, if it is another than this one.
	Node string
}

// Superseded says how far the former epoch came.
type Superseded struct {
	Key      string
	Epoch    uint64
	Last     media.Time
	HasLast  bool
	LastTime time.Time
}

// Follow asks to be told where a broadcast is, now and at each change: a *Located for each.
type Follow struct {
	Key      string
	Follower *actor.PID
	// Epoch is the latest that the follower has seen: no claim is granted a lower one.
	Epoch uint64
}

// Unfollow ends a Follow.
type Unfollow struct {
	Key      string
	Follower *actor.PID
}

// Located names the topic that carries a broadcast now, and the gate that gives it out; they are
// nil when none does.
type Located struct {
	Key         string
	Epoch       uint64
	Topic, Gate *actor.PID
	Publishing  bool
	// Places give it out on other nodes. Nobody changes them.
	Places []Place
	// Elsewhere says that on this node all is as it was told before.
	Elsewhere bool
}

// List asks for all broadcasts; the answer is a *Listing.
type List struct{}

// Listing answers List, sorted by key.
type Listing struct{ Broadcasts []Located }
