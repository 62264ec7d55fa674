package topic

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// Attach tells the topic who publishes into it. The topic watches the publisher, and answers with
// nothing: units may follow at once. Besides this, a topic receives *Unit messages.
type Attach struct {
	Epoch     uint64
	Publisher *actor.PID
}

// Ended tells the publisher that the topic takes no more of him.
type Ended struct{ Reason string }

// Subscribe asks for the topic's units from now on; the sender gets a Snapshot, then *Unit
// messages, until it ends or unsubscribes. Subscribing anew gives a new snapshot.
type Subscribe struct{ Subscriber *actor.PID }

// Unsubscribe ends a subscription.
type Unsubscribe struct{ Subscriber *actor.PID }

// Snapshot is what a subscriber begins with: headers and the units since the newest keyframe.
type Snapshot struct {
	Epoch uint64
	Units []*Unit
}

// GetRing asks for the topic's *Ring.
type GetRing struct{}

// Up tells a topic's owner that the topic has begun, anew if it was there before: it has lost its
// subscribers then.
type Up struct {
	// Name is the rendition's.
	Name string
	PID  *actor.PID
	// Ring is the topic's, the same for all its incarnations.
	Ring *Ring
}

// Describe asks what the topic carries; the answer is a *Description.
type Describe struct{}

// Description tells what a topic carries.
type Description struct {
	Headers Headers
	// BitsPerSecond is the rate of what the ring keeps.
	BitsPerSecond float64
	// Since is when the topic's first incarnation began.
	Since time.Time
	// Last is how far the timeline had come at LastTime, in the epoch LastEpoch.
	Last      media.Time
	HasLast   bool
	LastTime  time.Time
	LastEpoch uint64
}

// graceOver is the end of the time in which a publisher may come back.
type graceOver struct{ turn int }

// tick is the topic's housekeeping.
type tick struct{ of *topic }

// giveUp is when the oldest hole may have been open for too long. It is void unless it is the one
// that the topic waits for.
type giveUp struct{ _ byte }
