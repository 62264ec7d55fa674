package gate

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/topic"
)

// Subscribe asks for the units of a rendition; the subscriber gets a *topic.Snapshot and then
// *topic.Unit messages of its topic, as soon as there is one. Whoever subscribes to another
// rendition has left the first.
type Subscribe struct {
	// Key names the broadcast. A gate has only one; a link gives out all of another node's.
	Key string
	// Rendition is a rendition's name, "" the public one's.
	Rendition  string
	Subscriber *actor.PID
}

// Unsubscribe ends a subscription.
type Unsubscribe struct{ Subscriber *actor.PID }

// Gone tells a link's subscriber that nothing comes by it now: the connection is lost, or that node
// does not have the broadcast any more. What comes next takes it back.
type Gone struct{ Key string }

// Tap asks for the ring of a rendition's topic, for whoever follows that by himself: a *Tapped as
// soon as there is one, again for each incarnation of the topic, and when Made changes.
type Tap struct {
	Rendition string
	Follower  *actor.PID
}

// Untap ends all taps of a follower.
type Untap struct{ Follower *actor.PID }

// Tapped answers Tap.
type Tapped struct {
	Key       string
	Epoch     uint64
	Rendition string
	Ring      *topic.Ring
	// Made says that the pictures are made here, and not the publisher's own.
	Made bool
}

// pulse is the time to look at who had to answer by now.
type pulse struct{ of *gate }
