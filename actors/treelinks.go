package actors

import (
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
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
	// Pins starts and stops what Pin declares: what keeps an edge of this node alive, for who
	// follows it from another. Nil where no edge gives anything out.
	Pins *actor.PID
	Pin  func(key, rendition, who string) supervise.Spec
	// Pinned reports whether somebody else keeps an edge alive, whether there is something to follow
	// or not: a standby's.
	Pinned func(key, rendition string) bool
}

// any reports whether the node has, or may have, a link.
func (l *Links) any() bool { return len(l.Origins) > 0 || l.Listener != nil }

// Names of the links' part of the tree.
const (
	linksName = "links"
	peersName = "peers"
	outName   = "out"
)

// linkMailbox holds the subscriptions to a whole node's broadcasts, which come all at once.
const linkMailbox = 16384

// A link is tried again for ever, and not too often.
var (
	linkLimit   = supervise.Limit{Max: 1000, Within: 10 * time.Second}
	linkBackoff = supervise.Backoff{Min: 50 * time.Millisecond, Max: 2 * time.Second}
)

// links are those to other nodes. Whatever happens to one is tried again; it costs those who watch
// here what they watch of that node, and nothing else.
func (t *tree) links() supervise.Spec {
	spec := supervise.Spec{
		Name: linksName, Kind: "links", Strategy: supervise.OneForOne, Rebind: true,
		Note:  "never spent: a lost link is made again",
		Limit: linkLimit, Backoff: linkBackoff,
	}
	for _, o := range t.Links.Origins {
		spec.Children = append(spec.Children,
			linkSpec(linkName(o.Name), o.Link), dialSpec("dial/"+o.Name, o.Dial))
	}
	if t.reachesOut() {
		to, _ := t.linkTo("NODE", "", 0)
		spec.Children = append(spec.Children, supervise.Spec{
			Name: outName, Kind: "out", Strategy: supervise.Dynamic,
			Note:      "those that the registrar wants",
			Templates: []supervise.Spec{to},
		})
	}
	spec.Children = append(spec.Children, supervise.Spec{
		Name: peersName, Kind: "peers", Strategy: supervise.Dynamic,
		Templates: []supervise.Spec{t.peer("NODE", nil)},
	})
	return spec
}

// reachesOut reports whether there can be links that are not configured.
func (t *tree) reachesOut() bool { return t.Cluster.Registrar != nil && t.Links.Dial != nil }

func linkSpec(name string, link func(*supervise.Self) actor.Actor) supervise.Spec {
	return supervise.Spec{
		Name: name, Kind: "link", New: link, Mailbox: linkMailbox,
		Note: "who follows what of another node",
	}
}

func dialSpec(name string, dial func(*supervise.Self) actor.Actor) supervise.Spec {
	return supervise.Spec{
		Name: name, Kind: "dial", New: dial,
		Note: "owns the connection to it; ends with it and dials anew",
	}
}

// linkTo is the link to a node that is found, not configured, in its nth incarnation.
func (t *tree) linkTo(node, address string, n int) (spec supervise.Spec, pid *actor.PID) {
	name := "to/" + node + ".N" // the drawing
	if n > 0 {
		name = "to/" + node + "." + strconv.Itoa(n)
	}
	link, dial := t.Links.Dial(node, address)
	return supervise.Spec{
		Name: name, Kind: "to", Strategy: supervise.OneForOne,
		Note:  "one incarnation of a node; ended with it",
		Limit: linkLimit, Backoff: linkBackoff,
		Children: []supervise.Spec{linkSpec("link", link), dialSpec("dial", dial)},
	}, t.pid(linksName, outName, name, "link")
}

// origins are the places that the configured origins are for every key.
func (t *tree) origins() []directory.Place {
	var all []directory.Place
	for _, o := range t.Links.Origins {
		all = append(all, directory.Place{
			Node: o.Name, Link: t.pid(linksName, linkName(o.Name)), Static: true,
		})
	}
	return all
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
	at := LinkPlace{
		Directory: t.pid(directory.Name), Peers: t.pid(linksName, peersName),
		Peer: func(name string, newPeer func(*supervise.Self) actor.Actor) supervise.Spec {
			return t.spec(t.peer(name, newPeer))
		},
		Pin: func(key, rendition, who string) supervise.Spec {
			return t.spec(t.pin(key, rendition, who, false))
		},
		Pinned: func(key, rendition string) bool {
			return t.pinned.of(edgeName(key, rendition)).firm > 0
		},
	}
	if t.Cluster.Registrar != nil {
		at.Pins = t.pid(pinsName)
	}
	return supervise.Spec{Name: "link", Kind: "listener", New: t.Links.Listener(at)}
}
