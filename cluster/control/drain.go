package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/cluster/wire"
)

// Drainer is a node that can be drained.
type Drainer interface {
	// Drain has the node take nobody new and let its viewers go, or ends that.
	Drain(order actors.DrainOrder)
	// Drained tells how far that has come.
	Drained() actors.Drained
	// StopWhenEmpty has the process end once it drains and nothing is left, or ends that.
	StopWhenEmpty(on bool)
}

// Draining is the answer of .../drain.
type Draining struct {
	Node  string `json:"node"`
	State string `json:"state"`
	// Broadcasts and Viewers are still there.
	Broadcasts int `json:"broadcasts"`
	Viewers    int `json:"viewers"`
	// Feeds are the broadcasts that other nodes follow here, Standbys those that the node would take
	// over, and that another origin will: one for which there is no other it keeps to the end.
	Feeds    int `json:"feeds"`
	Standbys int `json:"standbys"`
	// Empty is a draining node that has nothing of these.
	Empty bool `json:"empty"`
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
		var order wire.Drain
		if order, err = drainOrder(r.URL.Query()); err != nil {
			break
		}
		if err = http.NewCrossOriginProtection().Check(r); err != nil {
			err = faulty(http.StatusForbidden, err)
			break
		}
		order.Off = r.Method == http.MethodDelete
		err = o.drainOn(r.Context(), node, order)
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

// drainOrder reads ?move=1&stop=1. What it does not know it refuses.
func drainOrder(query url.Values) (order wire.Drain, err error) {
	for name, values := range query {
		switch on := slices.Equal(values, []string{"1"}); {
		case name == "move" && on:
			order.Move = true
		case name == "stop" && on:
			order.Stop = true
		default:
			return order, faulty(http.StatusBadRequest,
				fmt.Errorf("%.64q: move=1 and stop=1 are known", name))
		}
	}
	return order, nil
}

// drainOn has a node drain, or end that.
func (o *Options) drainOn(ctx context.Context, node string, order wire.Drain) error {
	if node != o.Cluster.Self.Name {
		if err := o.known(node); err != nil {
			return err
		}
		_, err := o.Cluster.Ask(ctx, node, &order)
		return err
	}
	_, err := o.DrainSelf(ctx, order)
	return err
}

// DrainSelf has this node drain, or end that, and tells the others.
func (o *Options) DrainSelf(ctx context.Context, order wire.Drain) (wire.Drained, error) {
	if o.Drainer == nil {
		return wire.Drained{}, errors.New("this node cannot be drained")
	}
	o.Drainer.Drain(actors.DrainOrder{Off: order.Off, Move: order.Move})
	if order.Stop || order.Off { // whoever drains it once more does not take that back
		o.Drainer.StopWhenEmpty(!order.Off)
	}
	if o.Cluster.SetState != nil {
		if err := o.Cluster.SetState(ctx, !order.Off); err != nil {
			return wire.Drained{}, err
		}
	}
	return o.LeftHere(ctx)
}

// LeftHere tells what this node has left.
func (o *Options) LeftHere(context.Context) (wire.Drained, error) {
	if o.Drainer == nil {
		return wire.Drained{}, nil
	}
	d := o.Drainer.Drained()
	return wire.Drained{
		Draining: d.Draining, Broadcasts: d.Broadcasts, Viewers: d.Viewers, Feeds: d.Feeds,
	}, nil
}

// Empty tells whether this node drains and nothing is left on it.
func (o *Options) Empty(ctx context.Context) bool {
	d, err := o.drained(ctx, o.Cluster.Self.Name)
	return err == nil && d.Empty
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
	left, err := o.left(ctx, node)
	if err != nil {
		return nil, err
	}
	d := &Draining{
		Node: node, State: stateReady, Broadcasts: left.Broadcasts, Viewers: left.Viewers,
		Feeds: left.Feeds,
	}
	if left.Draining {
		d.State = stateDraining
	}
	if !o.Cluster.alone() {
		d.Standbys = standbys(o.Cluster.View(), node)
	}
	d.Empty = left.Draining && d.Broadcasts+d.Viewers+d.Feeds+d.Standbys == 0
	return d, nil
}

// left asks a node what it has left. One of a version that does not know the question is taken at
// what its record says.
func (o *Options) left(ctx context.Context, node string) (left wire.Drained, err error) {
	if node == o.Cluster.Self.Name {
		return o.LeftHere(ctx)
	}
	if err := o.known(node); err != nil {
		return left, err
	}
	reply, err := o.Cluster.Ask(ctx, node, &wire.Left{})
	if d, ok := reply.(*wire.Drained); ok && err == nil {
		return *d, nil
	}
	if err != nil && !errors.Is(err, wire.ErrUnknown) {
		return left, err
	}
	for _, n := range o.Cluster.View().Nodes {
		if n.Name == node {
			left.Draining = n.State == stateDraining
			left.Broadcasts, left.Viewers = n.Load.Broadcasts, n.Load.Viewers
		}
	}
	return left, nil
}

// standbys counts the broadcasts that a node is the standby of, and another could be.
func standbys(v View, node string) (count int) {
	actives := map[string]Carried{}
	for _, b := range v.Carried {
		if b.Role == roleActive && b.Epoch > actives[b.Key].Epoch {
			actives[b.Key] = b
		}
	}
	for _, b := range v.Carried {
		other := func(n NodeView) bool {
			return n.State == stateReady && n.Name != node && n.Name != actives[b.Key].Node &&
				slices.Contains(n.Roles, "origin")
		}
		if b.Node == node && b.Role == "standby" && slices.ContainsFunc(v.Nodes, other) {
			count++
		}
	}
	return count
}
