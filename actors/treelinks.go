package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/supervise"
)

// Links are a node's links to others, by which broadcasts come and go. Their place in the tree is
// here, their actors are the cluster's.
type Links struct {
	// Origins are the nodes whose broadcasts this node's edges follow.
	Origins []Origin
	// Listener makes the actor that takes the links of nodes that follow this one, nil for none.
	Listener func(LinkPlace) func(*supervise.Self) actor.Actor
	// Dial makes the two actors of a link to a node that is not among the Origins: see Origin. Nil
	// where there are no such links.
	Dial func(node, address string) (link, dial func(*supervise.Self) actor.Actor)
}

// Origin is a node that this one follows.
type Origin struct {
	Name string
	// Link makes the actor that knows who follows what of it, Dial the one that has the connection.
	Link, Dial func(*supervise.Self) actor.Actor
}

// LinkPlace is what the actors of links that this node takes have around them.
type LinkPlace struct {
	// Directory knows this node's broadcasts, Peers supervises the links.
	Directory, Peers *actor.PID
	// Peer declares the actor of one link.
	Peer func(name string, newPeer func(*supervise.Self) actor.Actor) supervise.Spec
}

// any reports whether the node has, or may have, a link.
func (l *Links) any() bool { return len(l.Origins) > 0 || l.Listener != nil }

// Names of the links' part of the tree.
const (
	linksName = "links"
	peersName = "peers"
)

// linkMailbox holds the subscriptions to a whole node's broadcasts, which come all at once.
const linkMailbox = 16384

// links are those to other nodes. Whatever happens to one is tried again; it costs those who watch
// here what they watch of that node, and nothing else.
func (t *tree) links() supervise.Spec {
	spec := supervise.Spec{
		Name: linksName, Kind: "links", Strategy: supervise.OneForOne, Rebind: true,
		Note:    "never spent: a lost link is made again",
		Limit:   supervise.Limit{Max: 1000, Within: 10 * time.Second},
		Backoff: supervise.Backoff{Min: 50 * time.Millisecond, Max: 2 * time.Second},
	}
	for _, o := range t.Links.Origins {
		spec.Children = append(spec.Children, supervise.Spec{
			Name: linkName(o.Name), Kind: "link", New: o.Link, Mailbox: linkMailbox,
			Note: "who follows what of another node",
		}, supervise.Spec{
			Name: "dial/" + o.Name, Kind: "dial", New: o.Dial,
			Note: "owns the connection to it; ends with it and dials anew",
		})
	}
	spec.Children = append(spec.Children, supervise.Spec{
		Name: peersName, Kind: "peers", Strategy: supervise.Dynamic,
		Templates: []supervise.Spec{t.peer("NODE", nil)},
	})
	return spec
}

func linkName(origin string) string { return "link/" + origin }

// peer is the link of a node that follows this one.
func (t *tree) peer(name string, newPeer func(*supervise.Self) actor.Actor) supervise.Spec {
	return supervise.Spec{
		Name: "peer/" + name, Kind: "peer", Restart: supervise.Temporary, New: newPeer,
		Mailbox: linkMailbox, Note: "owns the connection of a node that follows this one",
	}
}

// linkListener takes the links of other nodes.
func (t *tree) linkListener() supervise.Spec {
	return supervise.Spec{
		Name: "link", Kind: "listener",
		New: t.Links.Listener(LinkPlace{
			Directory: t.pid(directory.Name), Peers: t.pid(linksName, peersName),
			Peer: func(name string, newPeer func(*supervise.Self) actor.Actor) supervise.Spec {
				return t.spec(t.peer(name, newPeer))
			},
		}),
	}
}

// remoteRelays follow a broadcast on other nodes, for the edge whose topic is source: whichever of
// them carries it.
func (t *tree) remoteRelays(key, rendition string, source *actor.PID) []supervise.Spec {
	var all []supervise.Spec
	for _, o := range t.Links.Origins {
		all = append(all, supervise.Spec{
			Name: "relay/" + o.Name, Kind: "relay", Restart: supervise.Transient,
			Mailbox: sourceMailbox, Note: "follows it on another node",
			New: edge.NewRelay(edge.RelayOptions{
				Key: key, Rendition: rendition, Link: t.pid(linksName, linkName(o.Name)),
				Topic: source,
			}),
		})
	}
	return all
}
