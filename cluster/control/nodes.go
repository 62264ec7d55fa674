package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/cluster/wire"
)

// Drainer is a node that can be drained.
type Drainer interface {
	// Drain has the node take nobody new and let its viewers go, or ends that.
	Drain(on bool)
	// Drained tells how far that has come.
	Drained() actors.Drained
}

// Nodes is the answer of GET /v1/nodes.
type Nodes struct {
	// Self is the node that answers, Member whether it has its lease: if not, what it tells of the
	// others is of before.
	Self   string     `json:"self"`
	Member bool       `json:"member"`
	Nodes  []NodeView `json:"nodes"`
}

// nodes are those of the cluster, or this one.
func (o *Options) nodes(ctx context.Context) (*Nodes, error) {
	out := &Nodes{Self: o.Cluster.Self.Name, Member: true}
	if o.Cluster.alone() {
		self, err := o.self(ctx)
		out.Nodes = []NodeView{self}
		return out, err
	}
	view := o.Cluster.View()
	out.Member, out.Nodes = view.Member, slices.Clone(view.Nodes)
	for i := range out.Nodes {
		out.Nodes[i].Weight = out.Nodes[i].weight()
	}
	return out, nil
}

// self is this node as it knows itself.
func (o *Options) self(context.Context) (NodeView, error) {
	self := o.Cluster.Self
	self.State = stateReady
	if o.Drainer != nil {
		d := o.Drainer.Drained()
		self.Load.Broadcasts, self.Load.Viewers = d.Broadcasts, d.Viewers
		if d.Draining {
			self.State = stateDraining
		}
	}
	if !o.Cluster.alone() {
		for _, n := range o.Cluster.View().Nodes {
			if n.Name == self.Name {
				self.Load.CPU, self.Load.Memory = n.Load.CPU, n.Load.Memory
			}
		}
	}
	self.Weight = self.weight()
	return self, nil
}

func (o *Options) listNodes(w http.ResponseWriter, r *http.Request) {
	if !o.reads(w, r) {
		return
	}
	nodes, err := o.nodes(r.Context())
	if err != nil {
		o.fail(w, err)
		return
	}
	o.answer(w, nodes)
}

// reads refuses what is no GET or HEAD.
func (o *Options) reads(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	o.notAllowed(w, r, http.MethodGet, http.MethodHead)
	return false
}

// Placement is the answer of GET /v1/placement.
type Placement struct {
	Key string `json:"key"`
	// Publish is where the next publisher goes, nil if no node takes one: Reason says why.
	Publish *PublishAt `json:"publish"`
	Reason  string     `json:"reason,omitempty"`
	// Watch is where viewers go, the best first.
	Watch []WatchAt `json:"watch"`
}

// PublishAt is where to publish.
type PublishAt struct {
	Node string `json:"node"`
	URL  string `json:"url"`
}

// WatchAt is where to watch. Of several, viewers are to be spread by weight.
type WatchAt struct {
	Node   string `json:"node"`
	FLV    string `json:"flv,omitempty"`
	RTMP   string `json:"rtmp,omitempty"`
	Weight int    `json:"weight"`
}

// placement says where to publish and watch a key: it is what an application's server asks.
func (o *Options) placement(w http.ResponseWriter, r *http.Request) {
	if !o.reads(w, r) {
		return
	}
	app, name := cutLast(r.URL.Query().Get("key"))
	key, err := listen.Key(app, name)
	if err != nil {
		o.fail(w, faulty(http.StatusBadRequest, fmt.Errorf("key: %w", err)))
		return
	}
	placing, err := o.place(r.Context(), key)
	if err != nil {
		o.fail(w, err)
		return
	}
	o.answer(w, describePlacing(key, placing))
}

func (o *Options) place(ctx context.Context, key string) (p Placing, err error) {
	if !o.Cluster.alone() {
		return o.Cluster.Place(key), nil
	}
	self, err := o.self(ctx)
	if err != nil || self.State == stateDraining {
		return p, err
	}
	return Placing{Origin: &self, Edges: []NodeView{self}}, nil
}

func describePlacing(key string, p Placing) *Placement {
	out := &Placement{Key: key, Watch: []WatchAt{}}
	if p.Origin != nil && p.Origin.RTMP != "" {
		out.Publish = &PublishAt{p.Origin.Name, "rtmp://" + p.Origin.RTMP + "/" + key}
	} else {
		out.Reason = "no node takes a publisher now"
	}
	for i := range p.Edges {
		e := &p.Edges[i]
		at := WatchAt{Node: e.Name, Weight: e.weight()}
		if e.HTTP != "" {
			at.FLV = "http://" + e.HTTP + "/" + key + ".flv"
		}
		if e.RTMP != "" {
			at.RTMP = "rtmp://" + e.RTMP + "/" + key
		}
		out.Watch = append(out.Watch, at)
	}
	return out
}

// Draining is the answer of .../drain.
type Draining struct {
	Node  string `json:"node"`
	State string `json:"state"`
	// Broadcasts and Viewers are still there; a draining node without any is empty.
	Broadcasts int  `json:"broadcasts"`
	Viewers    int  `json:"viewers"`
	Empty      bool `json:"empty"`
}

// drain serves /v1/nodes/NODE/drain: POST begins, DELETE ends, GET tells.
func (o *Options) drain(w http.ResponseWriter, r *http.Request) {
	node, what := cutLast(r.PathValue("path"))
	if what != "drain" || node == "" || strings.Contains(node, "/") {
		o.fail(w, faulty(http.StatusNotFound, fmt.Errorf("there is no %s", r.URL.Path)))
		return
	}
	var err error
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost, http.MethodDelete:
		if err = http.NewCrossOriginProtection().Check(r); err != nil {
			err = faulty(http.StatusForbidden, err)
			break
		}
		err = o.drainOn(r.Context(), node, r.Method == http.MethodPost)
	default:
		o.notAllowed(w, r, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete)
		return
	}
	if err == nil {
		var d *Draining
		if d, err = o.drained(r.Context(), node); err == nil {
			o.answer(w, d)
			return
		}
	}
	o.fail(w, err)
}

// drainOn has a node drain, or end that.
func (o *Options) drainOn(ctx context.Context, node string, on bool) error {
	if node != o.Cluster.Self.Name {
		if err := o.known(node); err != nil {
			return err
		}
		_, err := o.Cluster.Ask(ctx, node, &wire.Drain{Off: !on})
		return err
	}
	return o.DrainSelf(ctx, on)
}

// DrainSelf has this node drain, or end that, and tells the others.
func (o *Options) DrainSelf(ctx context.Context, on bool) error {
	if o.Drainer == nil {
		return errors.New("this node cannot be drained")
	}
	o.Drainer.Drain(on)
	if o.Cluster.SetState == nil {
		return nil
	}
	return o.Cluster.SetState(ctx, on)
}

// known tells whether there is a node of that name.
func (o *Options) known(node string) error {
	if !o.Cluster.alone() {
		for _, n := range o.Cluster.View().Nodes {
			if n.Name == node {
				return nil
			}
		}
	}
	return faulty(http.StatusNotFound, fmt.Errorf("there is no node %.64q", node))
}

// drained tells how far a node has come.
func (o *Options) drained(ctx context.Context, node string) (*Draining, error) {
	nodes, err := o.nodes(ctx)
	if err != nil {
		return nil, err
	}
	self, err := o.self(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range append([]NodeView{self}, nodes.Nodes...) {
		if n.Name == node {
			return &Draining{
				Node: node, State: n.State, Broadcasts: n.Load.Broadcasts, Viewers: n.Load.Viewers,
				Empty: n.State == stateDraining && n.Load.Broadcasts == 0 && n.Load.Viewers == 0,
			}, nil
		}
	}
	return nil, o.known(node)
}
