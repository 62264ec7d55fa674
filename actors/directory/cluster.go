package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// What the directory and the registrar say to each other. The registrar speaks for this node in the
// cluster; a node by itself has none.

// Reserve asks the registrar for the next epoch of a key, which nobody in the cluster has had. The
// answer is a *Reserved or an *Unreserved.
type Reserve struct {
	Key    string
	Policy Policy
	// Floor is below the epoch: the highest that this node knows of.
	Floor uint64
	// Turn is the directory's, and in the answer.
	Turn int
}

// Reserved grants it. What was commanded of the key has been told to this node's settings before.
type Reserved struct {
	Key   string
	Turn  int
	Epoch uint64
	// Last is how far the timeline of the former epoch had come at LastTime, by the nodes that
	// carried it.
	Last     media.Time
	HasLast  bool
	LastTime time.Time
}

// Unreserved says why there is none: it is for the publisher to read.
type Unreserved struct {
	Key    string
	Turn   int
	Reason string
}

// Here tells the registrar what this node carries as the origin of a key: at each change, and again
// after a restart of either.
type Here struct {
	Key        string
	Epoch      uint64
	Publishing bool
}

// NotHere tells that it carries a key no more.
type NotHere struct {
	Key   string
	Epoch uint64
}

// Locate asks the registrar where else a key is, now and at each change: a *Places for each. Forget
// ends that.
type (
	Locate struct{ Key string }
	Forget struct{ Key string }
)

// Places tell the directory which other nodes give a key out to this one; none if there are none.
type Places struct {
	Key string
	// Epoch is the highest that was granted in the cluster, 0 if that is not known.
	Epoch  uint64
	Places []Place
}

// Place is one of them.
type Place struct {
	Node string
	// Link answers gate.Subscribe and gate.Unsubscribe for what that node has.
	Link *actor.PID
	// Static places are there for every key: they do not say that it is anywhere.
	Static bool
}

// Heard asks a Place's Link when the latest unit of a key came by it. The answer is a *HeardAt,
// whose At is zero if none has.
type (
	Heard   struct{ Key string }
	HeardAt struct {
		Key, Node string
		At        time.Time
	}
)

// Outdated tells the directory that an epoch of a key has been granted to another node: what this
// one carries below it ends.
type Outdated struct {
	Key   string
	Epoch uint64
	// Node has it.
	Node string
}
