package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	here "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cluster/control"
	"github.com/headwater-live/headwater/cluster/directory"
	"github.com/headwater-live/headwater/cluster/link"
	"github.com/headwater-live/headwater/cluster/wire"
	"github.com/headwater-live/headwater/cmd/headwater/config"
	"github.com/headwater-live/headwater/codec/media"
)

// others are the other nodes of a cluster, as this one knows and asks them.
type others struct {
	self    directory.Node
	started *startedNode
	view    atomic.Pointer[directory.View] // nil until the registrar knows something
	caller  atomic.Pointer[wire.Caller]    // nil until there is an actor to ask
	drains  *control.Options
}

// known is what is known of the cluster.
func (o *others) known() *directory.View {
	if v := o.view.Load(); v != nil {
		return v
	}
	return &directory.View{Self: o.self.Name}
}

// address tells where a node takes control messages.
func (o *others) address(node string) (string, bool) {
	n := o.known().Nodes[node]
	if n == nil || n.Control == "" {
		return "", false
	}
	return n.Control, true
}

// ask asks another node.
func (o *others) ask(ctx context.Context, node string, question any) (any, error) {
	caller := o.caller.Load()
	if caller == nil {
		return nil, errStarting
	}
	return caller.Ask(ctx, node, question)
}

// state asks a node, which may be this one, what it has of a broadcast.
func (o *others) state(
	ctx context.Context, node directory.Node, key string,
) (s directory.State, err error) {
	stated := &wire.Stated{}
	if node.Name == o.self.Name {
		*stated, err = o.stateHere(ctx, key)
	} else {
		stated, err = o.stateThere(ctx, node.Name, key)
	}
	if err != nil {
		return s, err
	}
	return directory.State{
		Epoch: stated.Epoch, Last: stated.Last, HasLast: stated.HasLast,
		At: time.Now().Add(-stated.Age), SettingsVersion: stated.Version, Settings: stated.Data,
	}, nil
}

func (o *others) stateThere(ctx context.Context, node, key string) (*wire.Stated, error) {
	reply, err := o.ask(ctx, node, &wire.State{Key: key})
	if err != nil {
		return nil, err
	}
	stated, ok := reply.(*wire.Stated)
	if !ok {
		return nil, fmt.Errorf("node %s: unexpected answer %T", node, reply)
	}
	return stated, nil
}

// adopt gives this node the settings of a key that it is about to carry.
func (o *others) adopt(ctx context.Context, key string, version uint64, data []byte) error {
	node, err := o.started.node()
	if err != nil {
		return err
	}
	adopted, err := node.Adopt(ctx, settings.Adopt{Key: key, Version: version, Data: data})
	if err == nil && adopted.Version < version {
		err = fmt.Errorf("settings of %s: version %d is not taken: %s", key, version, adopted.Reason)
	}
	return err
}

// standby names the node that has the settings of a broadcast should this one die.
func (o *others) standby(key string) string {
	if active := o.known().Active(key); active != nil && active.Node == o.self.Name {
		return active.Standby
	}
	return ""
}

// backup names the node of the second broadcast of a publisher whose first is here.
func (o *others) backup(key string) string { return o.known().Awaited[key] }

// elsewhere names where else a key is published or watched.
func (o *others) elsewhere(key string, publish bool) string {
	if key, is := here.BackupOf(key); is {
		if n := directory.PlaceBackup(o.known(), key, o.self.Name); n != nil && n.RTMP != "" {
			return "rtmp://" + n.RTMP + "/" + key + "?role=" + ingest.Backup.String()
		}
		return ""
	}
	p := directory.Placement(o.known(), key)
	if publish {
		if n := p.Origin; n != nil && n.Name != o.self.Name && n.RTMP != "" {
			return "rtmp://" + n.RTMP + "/" + key
		}
		return ""
	}
	for _, n := range p.Edges {
		if n.Name != o.self.Name && n.HTTP != "" {
			return "http://" + n.HTTP + "/" + key + ".flv"
		}
	}
	return ""
}

// wireOptions are those of the actor that carries control messages.
func (c *clusterNode) wireOptions(
	s sockets, registry prometheus.Registerer, store *directory.Store,
) (o wire.Options, err error) {
	o = wire.Options{
		Node: c.self.Name, Socket: s.wire, Advertise: c.self.Control, Address: c.address,
		Local: c.local(), Shelf: store, Standby: c.standby, Backup: c.backup,
		Bind: func(caller *wire.Caller) { c.caller.Store(caller) },
	}
	if o.Metrics, err = wire.NewMetrics(registry); err != nil {
		return o, fmt.Errorf("metrics: %w", err)
	}
	if l := &c.cfg.Link; l.TLSCert != "" {
		tls, err := link.LoadTLS(l.TLSCert, l.TLSKey, l.TLSCA)
		if err != nil {
			return o, fmt.Errorf("link.tls-cert, link.tls-key, link.tls-ca: %w", err)
		}
		o.Server, o.Client = tls.Server, tls.Client
	}
	return o, nil
}

// local is what this node does for others.
func (c *clusterNode) local() wire.Local {
	return wire.Local{
		Command: c.started.Command,
		Adopt: func(ctx context.Context, a settings.Adopt) (settings.Adopted, error) {
			node, err := c.started.node()
			if err != nil {
				return settings.Adopted{}, err
			}
			return node.Adopt(ctx, a)
		},
		State: c.stateHere, List: c.listHere,
		Drain: func(ctx context.Context, order wire.Drain) (wire.Drained, error) {
			return c.drains.DrainSelf(ctx, order)
		},
		Left: func(ctx context.Context) (wire.Drained, error) { return c.drains.LeftHere(ctx) },
	}
}

func (o *others) stateHere(ctx context.Context, key string) (out wire.Stated, err error) {
	node, err := o.started.node()
	if err != nil {
		return out, err
	}
	s, err := node.State(ctx, key)
	if err != nil {
		return out, err
	}
	return wire.Stated{
		Epoch: s.Epoch, Publishing: s.Publishing, Last: s.Last, HasLast: s.HasLast,
		Age: time.Since(s.At), Version: s.Settings.Version, Data: s.Settings.Data,
	}, nil
}

func (c *clusterNode) listHere(context.Context) ([]wire.Broadcast, error) {
	all, err := c.started.Broadcasts()
	if err != nil {
		return nil, err
	}
	var out []wire.Broadcast
	for i := range all {
		b := &all[i]
		out = append(out, wire.Broadcast{
			Key: b.Key, Epoch: b.Epoch, Publishing: b.Publishing, Viewers: b.Viewers,
			Video: b.Headers.Describe(media.Video), Audio: b.Headers.Describe(media.Audio),
			Bitrate: int64(b.BitsPerSecond), Since: b.Since,
		})
	}
	return out, nil
}

// control is what the HTTP API knows of the cluster.
func (c *clusterNode) control(cfg *config.Config, s sockets) control.Cluster {
	if c == nil {
		return control.Cluster{Self: selfView(cfg, s)}
	}
	out := control.Cluster{
		Self: *viewOf(&c.self), View: c.controlView, Ask: c.ask, Here: c.here,
		Place: func(key string) (p control.Placing) {
			placing := directory.Placement(c.known(), key)
			if placing.Origin != nil {
				p.Origin = viewOf(placing.Origin)
			}
			for _, n := range placing.Edges {
				p.Edges = append(p.Edges, *viewOf(n))
			}
			return p
		},
		SetState: c.setState,
	}
	c.drains = &control.Options{Drainer: c.started, Cluster: out}
	return out
}

// setState tells the others whether this node drains.
func (c *clusterNode) setState(ctx context.Context, draining bool) error {
	node, err := c.started.node()
	if err != nil {
		return err
	}
	state := directory.Ready
	if draining {
		state = directory.Draining
	}
	_, err = node.AskRegistrar(ctx, &directory.SetState{State: state})
	return err
}

func (c *clusterNode) controlView() control.View {
	v := c.known()
	out := control.View{Member: v.Held}
	for _, name := range v.Names() {
		out.Nodes = append(out.Nodes, *viewOf(v.Nodes[name]))
	}
	for key, all := range v.Broadcasts {
		for _, b := range all {
			out.Carried = append(out.Carried, control.Carried{
				Key: key, Node: b.Node, Role: string(b.Role), Epoch: b.Epoch,
				Publishing: b.Publishing, Standby: b.Standby,
			})
		}
	}
	return out
}

func viewOf(n *directory.Node) *control.NodeView {
	return &control.NodeView{
		Name: n.Name, ID: n.ID, Version: n.Version, Roles: n.Roles, State: string(n.State),
		RTMP: n.RTMP, HTTP: n.HTTP, Link: n.Link, Control: n.Control,
		Load: control.LoadView(n.Load), Since: n.Since,
	}
}

// here tells the epoch of a broadcast that this node carries.
func (o *others) here(ctx context.Context, key string) uint64 {
	node, err := o.started.node()
	if err != nil {
		return 0
	}
	return node.Here(ctx, key)
}
