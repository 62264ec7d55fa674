package directory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/headwater-live/headwater/cluster/membership"
)

// View is what a node knows of the cluster at a time. Nobody changes it, nor what it points to.
type View struct {
	// Self is the node that knows it.
	Self string
	// Synced says that it was once all that etcd had, Held that this node is a member now.
	Synced, Held bool
	Nodes        map[string]*Node
	// Broadcasts has the records of each key, by the nodes' names.
	Broadcasts map[string][]*Broadcast
	Epochs     map[string]*Epoch
	// Awaited are the nodes of the backups of the keys that Self is the active of: what is commanded
	// has to hold there too. One that is gone is still awaited for a while.
	Awaited map[string]string
}

// Names are those of the nodes, sorted.
func (v *View) Names() []string { return slices.Sorted(maps.Keys(v.Nodes)) }

// Active is the record of a key's active node: of several the one with the highest epoch. It is nil
// if there is none.
func (v *View) Active(key string) *Broadcast {
	var active *Broadcast
	for _, b := range v.Broadcasts[key] {
		if b.Role == Active && (active == nil || b.Epoch > active.Epoch) {
			active = b
		}
	}
	return active
}

// Of is the record of a key on a node, or nil.
func (v *View) Of(key, node string) *Broadcast {
	for _, b := range v.Broadcasts[key] {
		if b.Node == node {
			return b
		}
	}
	return nil
}

// atlas is the view that changes come into.
type atlas struct {
	view   View
	shared bool // somebody has a copy of view, whose maps must not change any more
	bad    func(key string, err error)
}

func newAtlas(self string, bad func(key string, err error)) *atlas {
	return &atlas{bad: bad, view: View{
		Self: self, Nodes: map[string]*Node{}, Broadcasts: map[string][]*Broadcast{},
		Epochs: map[string]*Epoch{}, Awaited: map[string]string{},
	}}
}

// snapshot is the view as it is now.
func (a *atlas) snapshot() *View {
	a.shared = true
	v := a.view
	return &v
}

// own makes the maps this atlas' own again.
func (a *atlas) own() {
	if !a.shared {
		return
	}
	a.shared = false
	a.view.Nodes = maps.Clone(a.view.Nodes)
	a.view.Broadcasts = maps.Clone(a.view.Broadcasts) // its slices are replaced, never changed
	a.view.Epochs = maps.Clone(a.view.Epochs)
}

// touched says what a change may concern.
type touched struct {
	nodes map[string]bool // by name; those of which only the load has changed are not among them
	keys  map[string]bool
}

// apply takes changes in. Bad records are told of and left out.
func (a *atlas) apply(changes []membership.Change) touched {
	t := touched{map[string]bool{}, map[string]bool{}}
	if len(changes) > 0 {
		a.own()
	}
	for i := range changes {
		c := &changes[i]
		p, ok := parse(c.Key)
		if !ok {
			if !c.Deleted {
				a.bad(c.Key, ErrRecord)
			}
			continue
		}
		switch p.kind {
		case kindNodes:
			was := a.view.Nodes[p.node]
			a.node(p.node, c)
			if !alike(was, a.view.Nodes[p.node]) {
				t.nodes[p.node] = true
			}
		case kindBroadcasts:
			a.broadcast(p.key, p.node, c)
			t.keys[p.key] = true
		case kindEpochs:
			a.epoch(p.key, c)
			t.keys[p.key] = true
		}
	}
	return t
}

// alike tells whether two records of a node differ in nothing but the load, which changes all the
// time, and is looked at only when there is something to choose.
func alike(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID && a.State == b.State && a.Link == b.Link && a.Limit == b.Limit &&
		slices.Equal(a.Roles, b.Roles)
}

func (a *atlas) node(name string, c *membership.Change) {
	delete(a.view.Nodes, name)
	if c.Deleted {
		return
	}
	n, err := decodeNode(name, c.Value)
	if err != nil {
		a.bad(c.Key, err)
		return
	}
	a.view.Nodes[name] = n
}

func (a *atlas) broadcast(key, node string, c *membership.Change) {
	rest := slices.DeleteFunc(slices.Clone(a.view.Broadcasts[key]),
		func(b *Broadcast) bool { return b.Node == node })
	if !c.Deleted {
		b, err := decodeBroadcast(key, node, c.Value)
		if err != nil {
			a.bad(c.Key, err)
		} else {
			rest = append(rest, b)
			slices.SortFunc(rest, func(x, y *Broadcast) int { return cmp.Compare(x.Node, y.Node) })
		}
	}
	if len(rest) == 0 {
		delete(a.view.Broadcasts, key)
		return
	}
	a.view.Broadcasts[key] = rest
}

func (a *atlas) epoch(key string, c *membership.Change) {
	delete(a.view.Epochs, key)
	if c.Deleted {
		return
	}
	e, err := decodeEpoch(c.Value)
	if err != nil {
		a.bad(c.Key, err)
		return
	}
	a.view.Epochs[key] = e
}

// highest is the highest epoch of a key that is known of, and the node that has it.
func (v *View) highest(key string) (epoch uint64, node string) {
	if e := v.Epochs[key]; e != nil {
		epoch, node = e.Epoch, e.Node
	}
	for _, b := range v.Broadcasts[key] {
		if b.Role == Active && b.Epoch > epoch {
			epoch, node = b.Epoch, b.Node
		}
	}
	return epoch, node
}

// sortedKeys are the keys of a set, in order.
func sortedKeys[V any](set map[string]V) []string {
	return slices.SortedFunc(maps.Keys(set), strings.Compare)
}
