package directory

import (
	"cmp"
	"slices"
	"strings"
)

// busy is how much of a node is in use, by the scarcest of what it has, 0 to 1.
func busy(n *Node) float64 {
	b := max(n.Load.CPU, n.Load.Memory)
	if n.Limit > 0 {
		b = max(b, float64(n.Load.Broadcasts)/float64(n.Limit))
	}
	return min(1, b)
}

// overload is from where on a node had better get nothing more.
const overload = 0.9

// weight is a node's share of what there is to have. It has few steps, so that what it decides does
// not change with every breath of the load.
func weight(n *Node) float64 {
	const steps = 8
	return (float64(int((1-busy(n))*steps)) + 1) / steps
}

// rank is how gladly a node is chosen, less is better.
func rank(n *Node) int {
	switch {
	case n.State != Ready:
		return 2
	case busy(n) >= overload || n.Full():
		return 1
	}
	return 0
}

// choice is a node with what decides about it.
type choice struct {
	node  *Node
	rank  int
	value float64 // less is better
}

func byRank(a, b choice) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.value, b.value),
		strings.Compare(a.node.Name, b.node.Name))
}

// choices are the nodes of a role that others can follow, but for one, the best first.
func (v *View) choices(role, key, but string) []choice {
	var all []choice
	for _, n := range v.Nodes {
		if n.Has(role) && n.Name != but && (role != RoleOrigin || n.Link != "") {
			all = append(all, choice{n, rank(n), weighted(n.Name, key, weight(n))})
		}
	}
	slices.SortFunc(all, byRank)
	return all
}

// ChooseStandby is the node that is to mirror a key for its active node: an origin that is drawn by
// the key, in proportion to the room that it has; one that is overloaded or draining only where
// there is no other. It is "" if there is none.
func ChooseStandby(v *View, key, active string) string {
	all := v.choices(RoleOrigin, key, active)
	if len(all) == 0 {
		return ""
	}
	return all[0].node.Name
}

// Upstreams are the nodes that self follows for a key, the best first. Of a tree of edges with a
// fanout (0 is flat) the first tier, by the rendezvous hash, follows the origins, and everybody
// else two edges of the tier above; a node that carries the key as an origin itself follows no
// edge.
func Upstreams(v *View, self, key string, fanout int) []string {
	origins, carries := v.origins(self, key)
	if carries || fanout <= 0 {
		return origins
	}
	edges := v.edges(self, key)
	mine := slices.Index(edges, self)
	if mine < fanout {
		return origins // of the first tier, or no edge
	}
	return parents(edges, mine, fanout)
}

// origins are the nodes that give out a key in its highest epoch: the active, its standby, and the
// backup. carries tells whether self is one of them.
func (v *View) origins(self, key string) (names []string, carries bool) {
	mine := v.Of(key, self)
	if mine != nil && mine.Role == Active {
		return nil, true
	}
	var active, standby, backup []string
	epoch := uint64(0)
	for _, b := range v.Broadcasts[key] {
		if b.Role != Backup {
			epoch = max(epoch, b.Epoch)
		}
	}
	for _, b := range v.Broadcasts[key] {
		switch {
		case b.Node == self || v.Nodes[b.Node] == nil || v.Nodes[b.Node].Link == "":
		case b.Role == Backup:
			backup = append(backup, b.Node)
		case b.Epoch != epoch:
		case b.Role == Active:
			active = append(active, b.Node)
		case b.Role == Standby:
			standby = append(standby, b.Node)
		}
	}
	if mine != nil { // a standby, or a backup
		return active, true
	}
	return slices.Concat(active, standby, backup), false
}

// edges are the edges of a key in the order of its rendezvous hash: those that are ready, can be
// followed and do not carry it as origins, and self.
func (v *View) edges(self, key string) []string {
	var all []string
	for name, n := range v.Nodes {
		usable := n.State == Ready && n.Link != "" && v.Of(key, name) == nil
		if n.Has(RoleEdge) && (usable || name == self) {
			all = append(all, name)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(score(b, key), score(a, key)), strings.Compare(a, b))
	})
	return all
}

// parents are the two edges above the one of rank r in a tree of that fanout. Whatever others know
// of the tree, each has a higher score than its child: no circle can come of it.
func parents(edges []string, r, fanout int) []string {
	parent := r/fanout - 1
	first, size := 0, fanout // the tier of parent
	for parent >= first+size {
		first, size = first+size, size*fanout
	}
	beside := parent + 1
	if beside >= first+size {
		beside = first
	}
	if beside == parent {
		return []string{edges[parent]}
	}
	return []string{edges[parent], edges[beside]}
}

// Placing says where to publish and where to watch a key.
type Placing struct {
	// Origin is nil if there is none.
	Origin *Node
	// Edges are the best first.
	Edges []*Node
}

const (
	placeOrigins = 3 // so many of the key's own are compared by their load
	placeEdges   = 3
)

// Placement says where the next publisher of a key goes, the present active node if it is ready,
// and where viewers do.
func Placement(v *View, key string) Placing {
	p := Placing{Origin: v.placeOrigin(key, "")}
	for _, c := range v.choices(RoleEdge, key, "") {
		if c.node.State == Ready && len(p.Edges) < placeEdges {
			p.Edges = append(p.Edges, c.node)
		}
	}
	return p
}

// placeOrigin is the origin for a publisher, other than one.
func (v *View) placeOrigin(key, but string) *Node {
	if active := v.Active(key); active != nil && active.Node != but {
		if n := v.Nodes[active.Node]; n != nil && n.State == Ready {
			return n
		}
	}
	all := v.roomy(key, but)
	backup := func(c choice) bool {
		b := v.Of(key, c.node.Name)
		return b != nil && b.Role == Backup
	}
	if apart := slices.DeleteFunc(slices.Clone(all), backup); len(apart) > 0 {
		all = apart // a backup on the same node is none
	}
	all = all[:min(len(all), placeOrigins)]
	if len(all) == 0 {
		return nil
	}
	return slices.MinFunc(all, func(a, b choice) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(busy(a.node), busy(b.node)),
			cmp.Compare(a.value, b.value))
	}).node
}

// roomy are the origins that take a publisher, but for one, the best first.
func (v *View) roomy(key, but string) (all []choice) {
	for _, c := range v.choices(RoleOrigin, key, but) {
		if c.rank < 2 && !c.node.Full() {
			all = append(all, c)
		}
	}
	return all
}

// PlaceBackup is the origin for the backup of a key whose node, but, is to have it no more: not
// that of the active. It is nil if there is none.
func PlaceBackup(v *View, key, but string) *Node {
	active := v.Active(key)
	for _, c := range v.roomy(key, but) {
		if active == nil || c.node.Name != active.Node {
			return c.node
		}
	}
	return nil
}
