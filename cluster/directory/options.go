package directory

import (
	"context"
	"time"

	"github.com/headwater-live/headwater/cluster/membership"
	"github.com/headwater-live/headwater/codec/media"
)

// Options make a registrar.
type Options struct {
	Client *membership.Client
	Keys   Keys
	Store  *Store
	// Node is this node's record; the registrar keeps its state and load.
	Node Node
	// Fanout is the edges' fanout (see Upstreams).
	Fanout int
	// Grace is how long a standby goes on after its active node is gone.
	Grace time.Duration
	// Ask asks a node that carries a key, or did, how far it came. It may be nil.
	Ask func(ctx context.Context, node Node, key string) (State, error)
	// Adopt gives settings to this node's, and returns when they have them. It may be nil.
	Adopt func(ctx context.Context, key string, version uint64, data []byte) error
	// Sample measures the node's load, but for its broadcasts. It is called every two seconds, on
	// one goroutine. It may be nil.
	Sample func(now time.Time) Load
	// Viewed is given what is known of the cluster, at each change of it, by the registrar: it must
	// not wait. It may be nil.
	Viewed  func(*View)
	Metrics *Metrics
}

// State is what a node knows of a broadcast that it carries or did.
type State struct {
	Epoch uint64
	// Last is how far the timeline had come at At.
	Last    media.Time
	HasLast bool
	At      time.Time
	// Settings are what is commanded of it, in that version.
	SettingsVersion uint64
	Settings        []byte
}
