package control

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/headwater-live/headwater/actors/listen"
)

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
