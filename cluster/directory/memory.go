package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/supervise"
)

// memory is what a registrar was told and what it has started: it outlives the actor's restarts, as
// whoever told it does not know of them.
type memory struct {
	state   Status
	here    map[string]*carried
	located map[string]*located
	links   map[string]*outLink // by node
	pins    map[string]*pinned  // by key
	backups map[string]*backed  // by key
	started int                 // counts links
}

func newMemory() *memory {
	return &memory{
		state: Ready, here: map[string]*carried{}, located: map[string]*located{},
		links: map[string]*outLink{}, pins: map[string]*pinned{},
		backups: map[string]*backed{},
	}
}

// carried is a broadcast that this node is the active origin of.
type carried struct {
	epoch      uint64
	publishing bool
	standby    string
	backup     string    // the standby, if that is one; or it was, and its node is gone
	lost       time.Time // since when its node is gone; or zero
	renditions []string
	outdated   uint64    // the epoch that the directory was told of
	asked      time.Time // for its renditions
	doubt      time.Time // since when it is not known whether that is so still; or zero
}

// located is a key that the directory wants to know the places of.
type located struct {
	told  *local.Places
	epoch uint64   // the highest that there was
	nodes []string // whose links it uses
	doubt time.Time
}

// outLink is a link to another node.
type outLink struct {
	id, address string
	spec        supervise.Spec // its place in the tree
	link        *actor.PID
	up          bool
	asked       time.Time
	keys        map[string]bool // that use it
	idle        time.Time       // since when there is none
}

// pinned is a broadcast that this node mirrors as a standby.
type pinned struct {
	epoch      uint64
	renditions map[string]*pin
	since      time.Time // when it lost its active node; zero while it has one
}

// pin keeps one rendition.
type pin struct {
	child string // the name of its place in the tree
	up    bool
	asked time.Time
}
