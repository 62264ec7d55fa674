package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// Cluster is what makes this node one of many; the zero Cluster is a node by itself. The actors'
// places in the tree are here, they themselves are the cluster's.
type Cluster struct {
	// Registrar makes the actor that speaks for this node with the others.
	Registrar func(ClusterPlace) func(*supervise.Self) actor.Actor
	// Wire makes the actor that carries what nodes say to each other.
	Wire func(ClusterPlace) func(*supervise.Self) actor.Actor
}

// ClusterPlace is what those actors have around them.
type ClusterPlace struct {
	Directory, Settings, Registrar, Wire *actor.PID
	// Out starts and stops the links to other nodes: by supervise.StartChild with what LinkTo
	// returns, and supervise.StopChild.
	Out *actor.PID
	// LinkTo declares the link to a node at an address, and says which actor will give out what
	// that node has. Incarnations of it, by n, have names of their own: a node that came back
	// listens elsewhere.
	LinkTo func(node, address string, n int) (spec supervise.Spec, link *actor.PID)
	// Pins starts and stops what Pin declares.
	Pins *actor.PID
	// Pin declares what keeps the edge of a rendition alive without a viewer, on behalf of who.
	// The rendition "" is the public one.
	Pin func(key, rendition, who string) supervise.Spec
}
