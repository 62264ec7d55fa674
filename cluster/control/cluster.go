package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cluster/wire"
)

// Cluster is what a node knows of the others, and how it asks them. The zero Cluster is a node by
// itself. The functions are called by many goroutines; none of the last three is nil in a cluster.
type Cluster struct {
	// Self is this node. Of a node by itself it has the name and the addresses.
	Self NodeView
	// View returns what is known of the cluster now; nil for a node by itself.
	View func() View
	// Place says where a key is published and watched.
	Place func(key string) Placing
	// Ask asks another node, in the words of package wire.
	Ask func(ctx context.Context, node string, question any) (any, error)
	// Here tells the epoch of a broadcast that this node carries, 0 if it does not: the directory
	// knows that a moment later. It may be nil.
	Here func(ctx context.Context, key string) uint64
	// SetState tells the others that this node drains, or does not.
	SetState func(ctx context.Context, draining bool) error
	// Transport reaches the HTTP addresses of other nodes; nil is the usual one.
	Transport http.RoundTripper
}

// View is what is known of the cluster.
type View struct {
	// Member says that this node is one of them now: it has its lease.
	Member bool
	// Nodes are all of them, by name, and Carried what they carry, by key.
	Nodes   []NodeView
	Carried []Carried
}

// NodeView is what is known of a node.
type NodeView struct {
	Name    string   `json:"name"`
	ID      string   `json:"id,omitempty"`
	Version string   `json:"version,omitempty"`
	Roles   []string `json:"roles"`
	// State is ready or draining.
	State string `json:"state"`
	// Where others reach it, host:port each.
	RTMP    string    `json:"rtmp,omitempty"`
	HTTP    string    `json:"http,omitempty"`
	Link    string    `json:"link,omitempty"`
	Control string    `json:"control,omitempty"`
	Load    LoadView  `json:"load"`
	Weight  int       `json:"weight"`
	Since   time.Time `json:"since"`
}

// LoadView is how busy a node is.
type LoadView struct {
	// CPU and Memory are shares, 0 to 1.
	CPU        float64 `json:"cpu"`
	Memory     float64 `json:"memory"`
	Broadcasts int     `json:"broadcasts"`
	Viewers    int     `json:"viewers"`
	Egress     int64   `json:"egress_bytes_per_second"`
}

// Carried is a broadcast as the cluster knows it.
type Carried struct {
	Key, Node string
	// Role is active, standby or backup.
	Role       string
	Epoch      uint64
	Publishing bool
	// Standby is the node that takes over.
	Standby string
}

// Placing says where a key is published, nil if nowhere, and where it is watched, the best first.
type Placing struct {
	Origin *NodeView
	Edges  []NodeView
}

// Words of the view.
const (
	stateReady    = "ready"
	stateDraining = "draining"
	roleActive    = "active"
	roleBackup    = "backup"
)

// weight is what a load balancer gives a node of this load: 1 to 100, 0 while it takes nobody.
func (n *NodeView) weight() int {
	if n.State == stateDraining {
		return 0
	}
	return max(1, int(100*(1-max(n.Load.CPU, n.Load.Memory))+0.5))
}

// alone tells whether the node is by itself.
func (c *Cluster) alone() bool { return c.View == nil }

// active names the node that carries a key now, or where there is none the one that has the backup
// of it, if it is another one.
func (c *Cluster) active(ctx context.Context, key string) (node NodeView, elsewhere bool) {
	if c.alone() {
		return node, false
	}
	view := c.View()
	var best, backup Carried
	for _, b := range view.Carried {
		switch {
		case b.Key != key:
		case b.Role == roleActive && b.Epoch > best.Epoch:
			best = b
		case b.Role == roleBackup && backup.Node == "":
			backup = b
		}
	}
	if best.Node == "" {
		best = backup
	}
	if best.Node == "" || best.Node == c.Self.Name ||
		c.Here != nil && c.Here(ctx, key) > best.Epoch {
		return node, false
	}
	for _, n := range view.Nodes {
		if n.Name == best.Node {
			return n, true
		}
	}
	return node, false
}

// commandOn has a command carried out by the node that carries the broadcast. One that nobody
// carries is kept by this node, for whoever will.
func (o *Options) commandOn(
	ctx context.Context, c settings.Command,
) (answer settings.Answer, err error) {
	node, elsewhere := o.Cluster.active(ctx, c.Key)
	if !elsewhere {
		return o.Node.Command(ctx, c)
	}
	reply, err := o.Cluster.Ask(ctx, node.Name, &c)
	if err != nil {
		return answer, err
	}
	if answer, ok := reply.(*settings.Answer); ok {
		return *answer, nil
	}
	return answer, fmt.Errorf("node %s: unexpected answer %T", node.Name, reply)
}

// statusOfWire is the status of what other nodes answer, 0 for other errors.
func statusOfWire(err error) int {
	switch {
	case errors.Is(err, wire.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, wire.ErrUnknown):
		return http.StatusNotImplemented
	case errors.Is(err, actors.ErrDraining):
		return http.StatusServiceUnavailable
	}
	return 0
}
