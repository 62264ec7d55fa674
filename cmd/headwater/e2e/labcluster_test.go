package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// member starts a node of a cluster on the host, and waits until it is ready. How it ends is the
// test's to judge.
func (h *host) member(t *testing.T, e *etcd, roles string, flags ...string) *node {
	t.Helper()
	return h.node(t, append([]string{
		"--cluster.etcd", e.endpoints(), "--node.roles", roles, "--node.advertise", h.ip,
		"--link.listen", h.at(linkPort),
	}, flags...)...)
}

// embedding starts a node whose etcd is in its own process, and what others are told of that.
func (h *host) embedding(t *testing.T, roles string, flags ...string) (*node, *etcd) {
	t.Helper()
	n := h.node(t, append([]string{
		"--cluster.etcd", "embed", "--cluster.embed-dir", t.TempDir(),
		"--cluster.embed-listen", h.at(etcdPort), "--cluster.embed-peer", h.at(etcdPeerPort),
		"--node.roles", roles, "--node.advertise", h.ip, "--link.listen", h.at(linkPort),
	}, flags...)...)
	return n, &etcd{members: []*member{{process: n.process, host: h}}}
}

// holds tells whether a node has its lease.
func (n *node) holds(t *testing.T) bool {
	t.Helper()
	return n.metric(t, "headwater_cluster_lease_held") == 1
}

// record is what etcd has of a node.
type record struct {
	Name, Link, HTTP, RTMP, State string
	Roles                         []string
}

// nodes asks etcd for the nodes that are registered.
func (m *member) nodes(t *testing.T) map[string]record {
	t.Helper()
	all := map[string]record{}
	for _, text := range m.records(t, "nodes") {
		var r record
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		all[r.Name] = r
	}
	return all
}

// records asks etcd, by its JSON gateway, for all records of a kind, by their keys without that.
func (m *member) records(t *testing.T, kind string) map[string][]byte {
	t.Helper()
	from := "/headwater/headwater/" + kind
	ask, err := json.Marshal(map[string][]byte{
		"key": []byte(from + "/"), "range_end": []byte(from + "0"),
	})
	if err != nil {
		t.Fatal(err)
	}
	response, err := m.host.client().Post("http://"+m.host.at(etcdPort)+"/v3/kv/range",
		"application/json", bytes.NewReader(ask))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Kvs []struct{ Key, Value []byte } }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, kv := range answer.Kvs {
		all[strings.TrimPrefix(string(kv.Key), from+"/")] = kv.Value
	}
	return all
}

// TestMembership has nodes come, be killed, hang and be parted from a real etcd of three: etcd
// knows of each as long as it is there, and of it again when it is back.
func TestMembership(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	e := l.etcd(t, l.host(t, "etcd-1"), l.host(t, "etcd-2"), l.host(t, "etcd-3"))
	members := func(want int) {
		t.Helper()
		await(t, fmt.Sprintf("%d nodes are registered", want), func() bool {
			return len(e.members[0].nodes(t)) == want
		})
	}
	o := l.host(t, "o-1").member(t, e, "origin")
	l.host(t, "e-1").member(t, e, "edge")
	members(2)
	if r := e.members[0].nodes(t)["o-1"]; r.Link != o.host.at(linkPort) || r.State != "ready" {
		t.Errorf("etcd has %+v", r)
	}
	l.kill(t, "o-1")
	members(1)
	o.host.member(t, e, "origin")
	members(2)
	l.freeze(t, "e-1")
	members(1)
	l.thaw(t, "e-1")
	members(2)
	for _, m := range e.members {
		l.part(t, m.host, l.hosts["e-1"])
	}
	members(1)
	for _, m := range e.members {
		l.heal(t, m.host, l.hosts["e-1"])
	}
	members(2)
}

// TestClusterFaults has 200 viewers on two edges of a cluster watch a broadcast, while etcd goes
// and comes back, which costs nothing, and while the origin dies, which costs what died with it.
func TestClusterFaults(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	e := l.etcd(t, l.host(t, "etcd-1"))
	studio, audience := l.host(t, "studio"), l.host(t, "audience")
	o1, o2 := l.host(t, "o-1").member(t, e, "origin"), l.host(t, "o-2").member(t, e, "origin")
	s, g := newSource(t, film.get(t)), groups{}
	for i := range 2 {
		n := l.host(t, fmt.Sprint("e-", i+1)).member(t, e, "edge")
		g[n.host.name] = audience.crowd(t, n, "film", 100)
	}
	p := s.publish(t, studio, o1, "film")
	s.run(t)
	awaitMore(t, g, 150)
	l.kill(t, "etcd-1")
	awaitMore(t, g, 300)
	for _, v := range g.all() {
		if a := s.ledger.audit(v.entries()); !a.clean() {
			t.Errorf("%s: without etcd %d are lost", v.name, a.lost)
		}
	}
	e.members[0].begin(t)
	e.members[0].awaitReady(t)
	await(t, "all have their leases again", func() bool {
		return o1.holds(t) && o2.holds(t)
	})
	l.kill(t, "o-1")
	s.leave(p)
	s.publish(t, studio, o2, "film")
	awaitMore(t, g, 150)
	s.halt()
	s.ledger.awaitEnd(t, g.all()...)
	if a := s.ledger.report(t, g); !a.orderly() {
		t.Error("what comes cannot be played")
	}
}

// TestEmbeddedEtcd has a cluster whose etcd is in its origin's process.
func TestEmbeddedEtcd(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	o, e := l.host(t, "o-1").embedding(t, "origin")
	edge := l.host(t, "e-1").member(t, e, "edge")
	s := newSource(t, film.get(t))
	g := groups{"e-1": l.host(t, "audience").crowd(t, edge, "film", 10)}
	s.publish(t, l.host(t, "studio"), o, "film")
	s.run(t)
	awaitMore(t, g, 150)
	s.halt()
	s.ledger.awaitEnd(t, g.all()...)
	if a := s.ledger.report(t, g); !a.clean() {
		t.Errorf("%d are lost", a.lost)
	}
}
