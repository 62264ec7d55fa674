package directory

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/headwater-live/headwater/cluster/membership"
)

func sampleNode() *Node {
	return &Node{
		Name: "origin-1", ID: "x1", Version: "v1", Protocol: 1, Roles: []string{RoleOrigin},
		Link: "10.0.0.1:1936", HTTP: "[::1]:80", State: Ready,
		Load:  Load{CPU: 0.5, Memory: 0.25, Broadcasts: 3, Viewers: 10, Egress: 1000},
		Since: time.Unix(1, 0).UTC(),
	}
}

func TestKeysThereAndBack(t *testing.T) {
	k := NewKeys("a/b")
	below := func(s string) string { return strings.TrimPrefix(s, k.Prefix()) }
	for _, key := range []string{"live/show", "a", "live/ä %2F?#", "live/../x", "app/n/m"} {
		for kind, etcd := range map[string]string{
			kindBroadcasts: k.Broadcast(key, "n-1"), kindEpochs: k.Epoch(key), kindSettings: k.Settings(key),
		} {
			p, ok := parse(below(etcd))
			if !ok || p.key != key || p.kind != kind || (kind == kindBroadcasts) != (p.node == "n-1") {
				t.Errorf("%s: %+v, %v", etcd, p, ok)
			}
		}
	}
	for _, bad := range []string{
		"", "nodes", "nodes/", "nodes/a/b", "nodes/a%2Fb", "broadcasts/k", "broadcasts//n",
		"broadcasts/k/n/m", "epochs/%zz", "epochs/a/b", "other/k", "epochs/%61",
	} {
		if p, ok := parse(bad); ok {
			t.Errorf("%q is taken for %+v", bad, p)
		}
	}
}

func TestRecordsThereAndBack(t *testing.T) {
	n := sampleNode()
	got, err := decodeNode(n.Name, encode(n))
	if err != nil || !reflect.DeepEqual(got, n) {
		t.Errorf("%+v, %v", got, err)
	}
	b := &Broadcast{
		Key: "k", Node: "n", Role: Active, Epoch: 7, Publishing: true, Standby: "m",
		Renditions: []string{"480p"},
	}
	if got, err := decodeBroadcast("k", "n", encode(b)); err != nil || !reflect.DeepEqual(got, b) {
		t.Errorf("%+v, %v", got, err)
	}
	later := `{"epoch":7,"node":"n","unheard-of":[1,2]}`
	if e, err := decodeEpoch([]byte(later)); err != nil || e.Epoch != 7 {
		t.Errorf("of a later version: %+v, %v", e, err)
	}
}

func TestBadRecordsAreLeftOut(t *testing.T) {
	good := sampleNode()
	for name, change := range map[string]func(*Node){
		"another's name": func(n *Node) { n.Name = "origin-2" },
		"no id":          func(n *Node) { n.ID = "" },
		"state":          func(n *Node) { n.State = "dancing" },
		"cpu":            func(n *Node) { n.Load.CPU = 2 },
		"viewers":        func(n *Node) { n.Load.Viewers = -1 },
		"address":        func(n *Node) { n.Link = "no port" },
		"port":           func(n *Node) { n.RTMP = "h:99999" },
		"size":           func(n *Node) { n.Version = strings.Repeat("v", recordMax) },
	} {
		n := *good
		change(&n)
		if _, err := decodeNode(good.Name, encode(&n)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	var told []string
	a := newAtlas("n", func(key string, _ error) { told = append(told, key) })
	a.apply([]membership.Change{
		{Key: "nodes/origin-1", Value: encode(good)},
		{Key: "nodes/origin-2", Value: []byte(`{"name":`)},
		{Key: "broadcasts/k/origin-1", Value: []byte(`{"role":"active","epoch":0}`)},
		{Key: "broadcasts/k/origin-2", Value: []byte(`{"role":"active","epoch":5}`)},
		{Key: "epochs/k", Value: []byte(`{"epoch":18446744073709551615,"node":"n"}`)},
		{Key: "nonsense", Value: []byte(`{}`)},
	})
	if len(told) != 4 || len(a.view.Nodes) != 1 || len(a.view.Broadcasts["k"]) != 1 ||
		len(a.view.Epochs) != 0 {
		t.Errorf("told of %v; %+v", told, a.view)
	}
	before := a.snapshot()
	a.apply([]membership.Change{{Key: "nodes/origin-1", Value: []byte("?")}})
	if len(a.view.Nodes) != 0 || len(before.Nodes) != 1 {
		t.Errorf("a record that is no longer one: %d; of the snapshot: %d", len(a.view.Nodes),
			len(before.Nodes))
	}
}

// FuzzRecords has no bytes do harm, and what is taken stay what it is when it is written again.
func FuzzRecords(f *testing.F) {
	f.Add("nodes/origin-1", encode(sampleNode()))
	f.Add("broadcasts/live%2Fk/n", encode(&Broadcast{Role: Active, Epoch: 7}))
	f.Add("epochs/live%2Fk", encode(&Epoch{7, "n"}))
	f.Add("settings/live%2Fk", []byte(`{"version":1,"settings":{}}`))
	f.Fuzz(func(t *testing.T, key string, data []byte) {
		a := newAtlas("n", func(string, error) {})
		a.apply([]membership.Change{{Key: key, Value: data}})
		for name, n := range a.view.Nodes {
			if _, err := decodeNode(name, encode(n)); err != nil {
				t.Fatalf("%q: %v", encode(n), err)
			}
		}
		for k, all := range a.view.Broadcasts {
			for _, b := range all {
				if _, err := decodeBroadcast(k, b.Node, encode(b)); err != nil {
					t.Fatalf("%q: %v", encode(b), err)
				}
			}
			ChooseStandby(&a.view, k, "n")
			Upstreams(&a.view, "n", k, 2)
			Placement(&a.view, k)
		}
		a.apply([]membership.Change{{Key: key, Deleted: true}})
		if len(a.view.Nodes)+len(a.view.Broadcasts)+len(a.view.Epochs) != 0 {
			t.Fatalf("%q: something is left", key)
		}
	})
}
