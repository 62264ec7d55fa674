package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/settings"
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

// ClusterPlace is what those actors have around them. All but Directory and Settings come up after
// them, and a link after it was asked for: who gets no answer asks again, and nobody is told of a
// link that is not up.
type ClusterPlace struct {
	Directory, Settings, Registrar, Wire *actor.PID
	// Out starts and stops the links to other nodes: by supervise.StartChild with what LinkTo
	// returns, and supervise.StopChild. Nil where there are no such links.
	Out *actor.PID
	// LinkTo declares the link to a node at an address, and says which actor will give out what
	// that node has. Each time that it is called for a node, n is another, from 1: a node that came
	// back listens elsewhere, and whoever follows the former link has to notice that it is over.
	LinkTo func(node, address string, n int) (spec supervise.Spec, link *actor.PID)
	// Pins starts and stops what Pin declares.
	Pins *actor.PID
	// Pin declares what keeps the edge of a rendition alive without a viewer, on behalf of who.
	// The rendition "" is the public one.
	Pin func(key, rendition, who string) supervise.Spec
	// Splice declares what makes one stream of a publisher's two, of a rendition that is pinned.
	// Pins starts and stops it too.
	Splice func(key, rendition string) supervise.Spec
	// Quiet has the node's broadcast of a key, in whichever epoch, add nothing of its own to what
	// the publisher sends, or add it again.
	Quiet func(key string, on bool)
}

// place is what the registrar and the wire have around them.
func (t *tree) place() ClusterPlace {
	at := ClusterPlace{
		Directory: t.pid(directory.Name), Settings: t.pid(settings.Name),
		Registrar: t.pid(registrarName), Wire: t.pid(wireName),
		Pins: t.pid(pinsName), Pin: func(key, rendition, who string) supervise.Spec {
			return t.spec(t.pin(key, rendition, who, true))
		},
		Splice: func(key, rendition string) supervise.Spec {
			return t.spec(t.splice(key, rendition))
		},
		Quiet: t.pinned.hush,
	}
	if t.reachesOut() {
		at.Out = t.pid(linksName, outName)
		at.LinkTo = func(node, address string, n int) (supervise.Spec, *actor.PID) {
			spec, link := t.linkTo(node, address, n)
			return t.spec(spec), link
		}
	}
	return at
}

// clusterMailbox holds what a crowded node's directory says at once, after a restart of either.
const clusterMailbox = 65536

// cluster are the actors that a node has only among others. Each can be restarted alone: whoever
// has told it something, or was told, hears of it and says it again.
func (t *tree) cluster() []supervise.Spec {
	var all []supervise.Spec
	if t.Cluster.Registrar != nil {
		all = append(all, supervise.Spec{
			Name: registrarName, Kind: "registrar", Mailbox: clusterMailbox,
			Note: "speaks for this node in the cluster",
			New:  t.Cluster.Registrar(t.place()), Rebind: true,
			Heeds: []string{wireName, linksName, pinsName},
		})
	}
	if t.Cluster.Wire != nil {
		all = append(all, supervise.Spec{
			Name: wireName, Kind: "wire", Mailbox: clusterMailbox,
			Note: "what nodes say to each other",
			New:  t.Cluster.Wire(t.place()), Rebind: true,
		})
	}
	return all
}

// pins keep edges alive that no viewer does. They come behind the edges, and are told of a restart
// of those: they have theirs started anew.
func (t *tree) pins() []supervise.Spec {
	if t.Cluster.Registrar == nil {
		return nil
	}
	return []supervise.Spec{{
		Name: pinsName, Kind: "pins", Strategy: supervise.Dynamic, Rebind: true,
		Templates: []supervise.Spec{
			t.pin("KEY", "RENDITION", "WHO", true), t.splice("KEY", "RENDITION"),
		},
	}}
}

// pin keeps the edge of a rendition alive on behalf of somebody. It is firm if that is not one who
// follows the edge and goes with what there is to follow.
func (t *tree) pin(key, rendition, who string, firm bool) supervise.Spec {
	name := edgeName(key, rendition)
	return supervise.Spec{
		Name: "pin/" + nameOf(key) + "@" + rendition + "/" + who, Kind: "pin",
		Note: "keeps an edge alive without a viewer",
		New: edge.NewPin(edge.PinOptions{
			Key: key, Rendition: rendition, Edges: t.fixed.edges, Topic: sourceName,
			Spec: func() supervise.Spec { return t.spec(t.edge(key, rendition)) },
			Hold: func() func() { return t.pinned.hold(name, firm) },
		}),
	}
}
