package directory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// newView has nodes of every kind: n origins and m edges, all ready.
func newView(origins, edges int) *View {
	v := &View{
		Nodes: map[string]*Node{}, Broadcasts: map[string][]*Broadcast{}, Epochs: map[string]*Epoch{},
		Synced: true, Held: true,
	}
	add := func(name string, roles ...string) {
		v.Nodes[name] = &Node{
			Name: name, ID: name, Roles: roles, State: Ready, Link: "10.0.0.1:1", RTMP: name + ":1935",
		}
	}
	for i := range origins {
		add(fmt.Sprintf("origin-%d", i), RoleOrigin)
	}
	for i := range edges {
		add(fmt.Sprintf("edge-%d", i), RoleEdge)
	}
	return v
}

func (v *View) put(key, node string, role Role, epoch uint64, standby string) {
	v.Broadcasts[key] = append(v.Broadcasts[key], &Broadcast{
		Key: key, Node: node, Role: role, Epoch: epoch, Publishing: role == Active, Standby: standby,
	})
}

// TestStandbysAreBalanced has the standbys of many keys among nodes alike.
func TestStandbysAreBalanced(t *testing.T) {
	const nodes, keys = 10, 40000
	v := newView(nodes, 0)
	count := map[string]int{}
	for i := range keys {
		count[ChooseStandby(v, fmt.Sprintf("live/show-%d", i), "none")]++
	}
	for name, n := range count {
		if share := float64(n) * nodes / keys; share < 0.95 || share > 1.05 {
			t.Errorf("%s has %.3f of its share", name, share)
		}
	}
}

func TestStandbysFollowTheLoad(t *testing.T) {
	v := newView(4, 0)
	v.Nodes["origin-0"].Load.CPU = 0.76
	count := map[string]int{}
	for i := range 20000 {
		count[ChooseStandby(v, fmt.Sprintf("live/%d", i), "none")]++
	}
	busyShare := float64(count["origin-0"]) / 20000
	if busyShare < 0.05 || busyShare > 0.12 { // a quarter of the others' weight: 0.077
		t.Errorf("the busy node has %.3f", busyShare)
	}
}

// TestStandbyMovesLittle takes a node away: only its keys move.
func TestStandbyMovesLittle(t *testing.T) {
	before, after := newView(8, 0), newView(8, 0)
	delete(after.Nodes, "origin-3")
	for i := range 2000 {
		key := fmt.Sprintf("live/%d", i)
		was, is := ChooseStandby(before, key, "origin-0"), ChooseStandby(after, key, "origin-0")
		if was != is && was != "origin-3" || was == "origin-0" || is == "origin-3" {
			t.Fatalf("%s moves from %s to %s", key, was, is)
		}
	}
}

func TestStandbyOfLastResort(t *testing.T) {
	v := newView(3, 3)
	v.Nodes["origin-1"].State = Draining
	v.Nodes["origin-2"].Load.CPU = 0.95
	if got := ChooseStandby(v, "k", "origin-0"); got != "origin-2" {
		t.Errorf("%s rather than the overloaded one", got)
	}
	delete(v.Nodes, "origin-2")
	if got := ChooseStandby(v, "k", "origin-0"); got != "origin-1" {
		t.Errorf("%s rather than the draining one", got)
	}
	delete(v.Nodes, "origin-1")
	if got := ChooseStandby(v, "k", "origin-0"); got != "" {
		t.Errorf("%s rather than none", got)
	}
}

// TestUpstreamsReachAnOrigin has every edge of random clusters come to the origins upwards, by
// parents of which at least two are independent, and nobody feed more than the fanout twice.
func TestUpstreamsReachAnOrigin(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		edges, fanout := 1+random.IntN(60), random.IntN(6)
		v := newView(3, edges)
		v.put("k", "origin-0", Active, 9, "origin-1")
		v.put("k", "origin-1", Standby, 9, "")
		v.put("k", "origin-2", Active, 3, "")
		fed := map[string]int{}
		depth := map[string]int{}
		var rise func(name string, steps int) int
		rise = func(name string, steps int) int {
			if steps > edges {
				t.Fatalf("seed %d: a circle at %s", seed, name)
			}
			ups := Upstreams(v, name, "k", fanout)
			if len(ups) == 0 || slices.Contains(ups, name) {
				t.Fatalf("seed %d: %s follows %v", seed, name, ups)
			}
			if ups[0] == "origin-0" {
				if len(ups) != 2 || ups[1] != "origin-1" {
					t.Fatalf("seed %d: %s follows %v", seed, name, ups)
				}
				return 1
			}
			deepest := 0
			for _, up := range ups {
				deepest = max(deepest, rise(up, steps+1))
			}
			return deepest + 1
		}
		for i := range edges {
			name := fmt.Sprintf("edge-%d", i)
			depth[name] = rise(name, 0)
			for _, up := range Upstreams(v, name, "k", fanout) {
				fed[up]++
			}
		}
		for name, n := range fed {
			if fanout > 0 && n > 2*fanout {
				t.Errorf("seed %d: %s feeds %d edges, fanout %d", seed, name, n, fanout)
			}
		}
		if fanout == 0 && fed["origin-0"] != edges {
			t.Errorf("seed %d: flat, and %d of %d follow the origin", seed, fed["origin-0"], edges)
		}
	}
}

func TestUpstreamsOfOrigins(t *testing.T) {
	v := newView(4, 2)
	v.put("k", "origin-0", Active, 9, "origin-1")
	v.put("k", "origin-1", Standby, 9, "")
	v.put("k", "origin-2", Backup, 8, "")
	for self, want := range map[string][]string{
		"origin-0": nil,
		"origin-1": {"origin-0"},
		"origin-2": {"origin-0"},
		"origin-3": {"origin-0", "origin-1", "origin-2"},
		"edge-0":   {"origin-0", "origin-1", "origin-2"},
	} {
		if got := Upstreams(v, self, "k", 2); !slices.Equal(got, want) {
			t.Errorf("%s follows %v, not %v", self, got, want)
		}
	}
	if got := Upstreams(v, "edge-0", "other", 0); got != nil {
		t.Errorf("of a key that nobody has: %v", got)
	}
}

func TestPlacement(t *testing.T) {
	v := newView(3, 5)
	v.Nodes["edge-1"].State = Draining
	p := Placement(v, "k")
	if p.Origin == nil || len(p.Edges) != placeEdges {
		t.Fatalf("%+v", p)
	}
	first := p.Origin.Name
	v.Nodes[first].Load.CPU = 0.5
	if got := Placement(v, "k").Origin.Name; got == first {
		t.Error("a busier one")
	}
	v.put("k", first, Active, 1, "")
	if got := Placement(v, "k").Origin.Name; got != first {
		t.Error("not the active one")
	}
	v.Nodes[first].State = Draining
	if got := Placement(v, "k").Origin.Name; got == first {
		t.Error("a draining one")
	}
	for name := range v.Nodes {
		v.Nodes[name].State = Draining
	}
	if p = Placement(v, "k"); p.Origin != nil || p.Edges != nil {
		t.Errorf("all are draining, and %+v", p)
	}
	v = newView(2, 0)
	v.Nodes["origin-0"].Limit, v.Nodes["origin-0"].Load.Broadcasts = 2, 2
	if got := Placement(v, "k").Origin.Name; got != "origin-1" {
		t.Errorf("the full one: %s", got)
	}
}

// TestHashSpreads has every bit of the hash set half of the time, for names that differ little.
func TestHashSpreads(t *testing.T) {
	var bits [64]int
	const n = 20000
	for i := range n {
		h := score(fmt.Sprintf("10.0.0.%d:1936", i%200), fmt.Sprintf("live/%d", i/200))
		for b := range bits {
			bits[b] += int(h >> b & 1)
		}
	}
	for b, set := range bits {
		if set < n*48/100 || set > n*52/100 {
			t.Errorf("bit %d is set %d times of %d", b, set, n)
		}
	}
}

// TestPlacementOfTwo has the two publishers of a broadcast on two nodes, if there are as many.
func TestPlacementOfTwo(t *testing.T) {
	v := newView(3, 0)
	v.put("k", "origin-0", Active, 5, "origin-1")
	v.put("k", "origin-1", Backup, 5, "")
	if n := v.placeOrigin("k", "origin-0"); n == nil || n.Name != "origin-2" {
		t.Errorf("the publisher goes to %+v", n)
	}
	if n := PlaceBackup(v, "k", "origin-1"); n == nil || n.Name != "origin-2" {
		t.Errorf("the backup goes to %+v", n)
	}
	delete(v.Nodes, "origin-2")
	if n := v.placeOrigin("k", "origin-0"); n == nil || n.Name != "origin-1" {
		t.Errorf("the publisher of two nodes goes to %+v", n)
	}
	if n := PlaceBackup(v, "k", "origin-1"); n != nil {
		t.Errorf("the backup goes to %+v", n)
	}
}
