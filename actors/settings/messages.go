package settings

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// Get asks for the settings of a key; the answer is a *Current.
type Get struct{ Key string }

// Follow asks for the settings of a key, now and at each change: a *Current for each, which the
// follower answers with Held once it has carried it out. A key has one follower, the gate of its
// present epoch; one of an earlier epoch gets no more.
type Follow struct {
	Key      string
	Epoch    uint64
	Follower *actor.PID
}

// Current is what is commanded of a key. Nobody changes it.
type Current struct {
	Key      string
	Settings *Settings
}

// Held says from when on the settings of a version hold.
type Held struct {
	Key            string
	Version, Epoch uint64
	State          State
	PTS            media.Time
	Note           string
}

// overdue is the end of the time in which a follower has to carry a command out.
type overdue struct{ of *keeper }

type sweepTick struct{ of *keeper }
