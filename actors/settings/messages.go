package settings

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// Get asks for the settings of a key; the answer is a *Current. Where nobody here publishes the
// key, the keeper is asked for later ones first.
type Get struct{ Key string }

// Adopt gives this node the settings of a key as others have them: the newest version wins, and
// what was commanded here and is not in it is done again on top of it. The answer, to who asked, is
// an *Adopted.
type Adopt struct {
	Key     string
	Version uint64
	// Data is a record, as a Store or an Adopted has it.
	Data []byte
	// Stored says that this version is stored for all nodes: this one need not see to that.
	Stored bool
	// Await has the answer wait until the settings hold here, if somebody follows them.
	Await bool
}

// Adopted says which settings of a key are here now.
type Adopted struct {
	Key     string
	Version uint64
	// Data is their record, nil if nothing was ever commanded.
	Data []byte
	// Reason says why what was to be adopted was not, if it was not.
	Reason string
	// State and PTS say from when on it holds here, if that was waited for. Where nobody follows it,
	// and so nothing is shown, State is Stored.
	State State
	PTS   media.Time
}

// Export asks for the record of a key; the answer is an *Adopted.
type Export struct{ Key string }

// Store asks the keeper to keep a version of a key's settings: for all nodes, if what is kept there
// is of the version Base still, and at the node that is to have them should this one die. The
// answer is a *Kept. There is one Store of a key at a time.
type Store struct {
	Key           string
	Base, Version uint64
	// Turn is in the answer: one to a former question says nothing of what is here by then.
	Turn uint64
	// Data is what all nodes shall have, Mirror what the other node shall: it says too what is not
	// stored yet.
	Data, Mirror []byte
}

// Load asks the keeper for the settings of a key that all nodes have; the answer is a *Kept.
type Load struct{ Key string }

// Vanished says that the settings of a key that all nodes had are gone there: its data was lost, or
// nothing was commanded for long. Who has them still stores them again.
type Vanished struct{ Key string }

// Kept says what has become of a Store, or a Load: of that, Version is 0.
type Kept struct {
	Key     string
	Version uint64
	Turn    uint64
	// Stored says that it is kept for all nodes, Mirrored that another node has it.
	Stored, Mirrored bool
	// Reason says why it is not stored.
	Reason string
	// Others are what others have instead: what is stored for all nodes, or what the other node has.
	Others []Adopt
	// Backup is what has become of it at the backup; nil if there is none.
	Backup *Backup
}

// Backup says what has become of settings at the node of a backup publisher, whose pictures are
// shown as the active's are.
type Backup struct {
	Node string
	// Reason says why they are not known to hold there, if they are not.
	Reason string
	// PTS is from when on they hold there, on the timeline of the viewers.
	PTS media.Time
}

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

type (
	sweepTick struct{ of *keeper }
	// again is the time to have the keeper try again.
	again struct{ of *keeper }
)
