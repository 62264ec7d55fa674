package actors

import (
	"fmt"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/load"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/timeline"
)

// tree declares the supervision tree of a node. Each function is one box of the drawing in
// ARCHITECTURE.md, which is made from it.
type tree struct {
	Options
	metrics metrics
	window  *topic.Window
	pinned  *holds
	fixed   fixed
	system  *actor.ActorSystem
	handler listen.HTTPOptions
	desk    *listen.Desk
}

// fixed is what all edges share.
type fixed struct {
	directory, edges *actor.PID
	viewers          []supervise.Spec // the template
	beside           edge.Beside
	patience         *topic.Patience
}

func (t *tree) fix() {
	t.fixed.directory, t.fixed.edges = t.pid(directory.Name), t.pid(edgesName)
	t.fixed.viewers = []supervise.Spec{t.viewer("ID", "KEY", "", nil)}
	t.fixed.beside, t.fixed.patience = t.pinned.beside, t.patience()
}

// Names of the tree.
const (
	nodeName       = "node"
	broadcastsName = "broadcasts"
	edgesName      = "edges"
	viewersName    = "viewers"
	sourceName     = "topic/source"
	renditionsName = "renditions"
	processingName = "processing"
	snapshotsName  = "snapshots"
	pinsName       = "pins"
	registrarName  = "registrar"
	wireName       = "wire"
)

// sourceMailbox holds two seconds of a 60 fps broadcast and the backlog of a snapshot; beyond that
// the oldest media is dropped and video goes on at the next keyframe.
const sourceMailbox = 512

// edgeMailbox is the same for an edge that follows three nodes at once: each unit comes from each.
const edgeMailbox = 3 * sourceMailbox

// directoryMailbox holds what all of a crowded node's broadcasts and edges say after a restart.
const directoryMailbox = 16384

// node is the root. Who outlives a restart of the directory is told of it, not restarted: a
// broadcast does not end because a table was lost.
func (t *tree) node() supervise.Spec {
	spec := supervise.Spec{
		Name: nodeName, Kind: "node", Strategy: supervise.RestForOne,
		Note: "spent: the process exits, its supervisor restarts it",
		Children: []supervise.Spec{
			t.directory(),
			{
				Name: settings.Name, Kind: "settings", New: settings.New(t.settings()),
				Note: "what was commanded of each broadcast", Mailbox: 4096, Rebind: true,
				Heeds: []string{registrarName, wireName},
			},
			{
				Name: load.Name, Kind: "load", Note: "the node's CPU; widens the merge window",
				New: load.New(load.Options{
					Window: t.window, Adaptive: t.Adaptive, Metrics: t.metrics.load,
				}),
				Rebind: true,
			},
		},
	}
	spec.Children = append(spec.Children, t.cluster()...)
	spec.Children = append(spec.Children,
		t.links(),
		supervise.Spec{
			Name: broadcastsName, Kind: "broadcasts", Strategy: supervise.Dynamic, Rebind: true,
			Templates: []supervise.Spec{t.broadcast("KEY", 0, nil, timeline.Start{})},
		},
		supervise.Spec{
			Name: edgesName, Kind: "edges", Strategy: supervise.Dynamic, Rebind: true,
			Templates: []supervise.Spec{t.edge("KEY", "")},
		})
	spec.Children = append(spec.Children, t.pins()...)
	spec.Children = append(spec.Children, t.snapshots(), t.listeners())
	return spec
}

// directory knows what is here, and hears of the restarts of who tells it what is elsewhere.
func (t *tree) directory() supervise.Spec {
	o := directory.Options{ByClock: t.Links.any(), Static: t.origins()}
	if t.Cluster.Registrar != nil {
		o.Registrar = t.pid(registrarName)
	}
	return supervise.Spec{
		Name: directory.Name, Kind: "directory", Mailbox: directoryMailbox,
		Note: "which broadcasts are here; grants epochs",
		New:  directory.New(o), Heeds: []string{registrarName},
	}
}

// settings make the actor that knows what was commanded.
func (t *tree) settings() settings.Options {
	o := settings.Options{
		Initial: t.Processing.Settings, Node: t.Node, Backed: t.pinned.quiet,
	}
	if t.Cluster.Wire != nil {
		o.Keeper = t.pid(wireName)
	}
	return o
}

// broadcast is one incarnation of a broadcast on its origin. It ends, for a stated reason, when its
// topic has waited for its publisher in vain or is superseded, or when it is spent.
func (t *tree) broadcast(
	key string, epoch uint64, conn *ingest.Conn, start timeline.Start,
) supervise.Spec {
	name := broadcastName(key, epoch)
	source := t.pid(broadcastsName, name, sourceName)
	gateway := t.pid(broadcastsName, name, gate.Name)
	return supervise.Spec{
		Name: name, Kind: "broadcast", Restart: supervise.Temporary, Strategy: supervise.RestForOne,
		Note: "spent: this broadcast ends, no other notices",
		Children: []supervise.Spec{
			{
				Name: sourceName, Kind: "topic", Restart: supervise.Transient, Significant: true,
				Note: "outlives its publisher for the grace time", Mailbox: sourceMailbox,
				New: topic.New(topic.Options{
					Key: key, Epoch: epoch, Grace: t.Grace, Ring: topic.NewRing(t.Ring),
					Window: t.window, Metrics: t.metrics.origin, Directory: t.pid(directory.Name),
					Gate: gateway,
				}),
			},
			t.gate(key, epoch, start),
			t.rendition(key, epoch, settings.Public, "what viewers get by default"),
			{
				Name: renditionsName, Kind: "renditions", Strategy: supervise.Dynamic, Rebind: true,
				Templates: []supervise.Spec{t.rendition(key, epoch, "NAME", "one of the ladder")},
			},
			t.processing(key, epoch),
			{
				Name: ingest.Name, Kind: "ingest", Restart: supervise.Temporary, Rebind: true,
				Note: "owns the publisher's socket; gone with it",
				New: ingest.New(ingest.Options{
					Key: key, Epoch: epoch, Start: start, Topic: source, Conn: conn,
					Metrics: t.metrics.ingest,
				}),
			},
		},
	}
}

func broadcastName(key string, epoch uint64) string {
	if epoch == 0 { // the drawing
		return "broadcast/" + key + ".EPOCH"
	}
	return fmt.Sprintf("broadcast/%s.%d", nameOf(key), epoch)
}

// edge is what this node's viewers of one broadcast share. It ends when the last of them has been
// gone for the time of Linger, and nobody has pinned it.
func (t *tree) edge(key, rendition string) supervise.Spec {
	name := edgeName(key, rendition)
	source := t.pid(edgesName, name, sourceName)
	return supervise.Spec{
		Name: name, Kind: "edge", Restart: supervise.Temporary,
		Strategy: supervise.RestForOne, Note: "spent: its viewers are let go and come back",
		Children: []supervise.Spec{
			{
				Name: sourceName, Kind: "edge_topic", Mailbox: edgeMailbox,
				Note: "the same actor, fed by the relay",
				New: topic.New(topic.Options{
					Key: key, Ring: topic.NewRing(t.Ring), Window: t.window, Metrics: t.metrics.edge,
					Patience: t.fixed.patience,
				}),
			},
			{
				Name: viewersName, Kind: "viewers", Strategy: supervise.Dynamic,
				Linger:  max(t.Linger, time.Millisecond), // to supervise, zero is for ever
				Keep:    func() bool { return t.pinned.of(name).all > 0 },
				Restart: supervise.Transient, Significant: true, Rebind: true,
				Templates: t.fixed.viewers,
			},
			{
				Name: "relay", Kind: "relay", Restart: supervise.Transient, Mailbox: edgeMailbox,
				Note: "follows the broadcast wherever it is, from epoch to epoch",
				New: edge.NewRelay(edge.RelayOptions{
					Key: key, Rendition: rendition, Directory: t.fixed.directory, Topic: source,
					Beside: t.fixed.beside,
				}),
			},
		},
	}
}

// patience is how long an edge waits for what one of several upstreams may still bring. A node by
// itself has one.
func (t *tree) patience() *topic.Patience {
	if t.Cluster.Registrar == nil && len(t.Links.Origins) < 2 {
		return nil
	}
	p := topic.DefaultPatience()
	return &p
}

// edgeName is the name of the edge of a rendition. No key has an @.
func edgeName(key, rendition string) string {
	if rendition == "" {
		return "edge/" + nameOf(key)
	}
	return "edge/" + nameOf(key) + "@" + rendition
}

// nameOf is a key as part of an actor's name. Only its first slash stays one, so that no key names
// what is below another's actor: live/a/viewers would be a child of the edge of live/a.
func nameOf(key string) string {
	app, rest, found := strings.Cut(key, "/")
	if !found {
		return key
	}
	return app + "/" + strings.ReplaceAll(rest, "/", ":")
}

// viewer is one viewer.
func (t *tree) viewer(id, key, rendition string, socket *edge.Socket) supervise.Spec {
	return supervise.Spec{
		Name: "viewer/" + id, Kind: "viewer", Restart: supervise.Temporary,
		Note: "owns a viewer's socket and its writer", Mailbox: 16, Stop: time.Second,
		New: edge.NewViewer(edge.ViewerOptions{
			Key: key, Topic: t.pid(edgesName, edgeName(key, rendition), sourceName), Socket: socket,
			Bounds: t.Viewer, Metrics: t.metrics.viewers,
		}),
	}
}

// listeners come last and go first: that is draining.
func (t *tree) listeners() supervise.Spec {
	spec := supervise.Spec{
		Name: "listeners", Kind: "listeners", Strategy: supervise.OneForOne, Rebind: true,
		Note: "last up, first down: that is draining",
	}
	for _, s := range t.RTMP {
		spec.Children = append(spec.Children, supervise.Spec{
			Name: s.Name, Kind: "listener",
			New: listen.NewRTMP(listen.RTMPOptions{
				Socket: s.Socket, Desk: t.desk, Limits: t.Guard, Handshake: t.Handshake, Idle: t.Idle,
				SendBuffer: t.SendBuffer, Caps: t.Caps, Metrics: t.metrics.listen,
			}),
		})
	}
	if t.Links.Listener != nil {
		spec.Children = append(spec.Children, t.linkListener())
	}
	if t.handler.Socket != nil {
		spec.Children = append(spec.Children, supervise.Spec{
			Name: "http", Kind: "listener", New: listen.NewHTTP(t.handler),
		})
	}
	return spec
}

// pid is the identity of an actor by its place below the root.
func (t *tree) pid(path ...string) *actor.PID {
	id := nodeName
	for _, name := range path {
		id += "/" + name
	}
	return t.system.NewLocalPID(id)
}
