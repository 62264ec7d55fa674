package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// members are the nodes of a cluster on etcd. One that nobody kills carries the etcd.
type members struct {
	*cluster

	etcd   string // its address, and scheme
	keeper *node
	flags  []string
}

// formCluster starts a cluster: the node that carries etcd, origins o-1 and so on, edges e-1 and so
// on, all with the same flags, and waits until they know each other.
func formCluster(t *testing.T, origins, edges int, flags ...string) *members {
	t.Helper()
	tls, scheme := secured(t)
	at := freeAddress(t)
	m := &members{cluster: &cluster{}, etcd: scheme + at, flags: append(tls, flags...)}
	m.keeper = m.launch(t, "keeper", "edge", "--cluster.etcd", "embed", "--cluster.embed-listen",
		at, "--cluster.embed-peer", freeAddress(t), "--cluster.embed-dir", t.TempDir())
	m.keeper.mustEndWell(t)
	for i := range origins {
		m.origins = append(m.origins, m.join(t, fmt.Sprint("o-", i+1), "origin"))
	}
	for i := range edges {
		m.edges = append(m.edges, m.join(t, fmt.Sprint("e-", i+1), "edge"))
	}
	m.awaitMembers(t, 1+origins+edges)
	return m
}

// launch starts a node of the cluster.
func (m *members) launch(t *testing.T, name, roles string, flags ...string) *node {
	t.Helper()
	all := []string{"--node.name", name, "--node.roles", roles, "--link.listen", "127.0.0.1:0"}
	return launchNode(t, append(append(all, m.flags...), flags...)...)
}

// join starts a node that finds the cluster by its etcd.
func (m *members) join(t *testing.T, name, roles string, flags ...string) *node {
	t.Helper()
	to := []string{"--cluster.etcd", m.etcd}
	return m.launch(t, name, roles, append(to, flags...)...)
}

// memberView is what the cluster tells of a node.
type memberView struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
	State string   `json:"state"`
}

// members are the nodes that a node knows.
func (n *node) members(t *testing.T) []memberView {
	t.Helper()
	status, text := n.get(t, "/v1/nodes")
	var answer struct {
		Nodes []memberView `json:"nodes"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("/v1/nodes: %d %s: %v", status, text, err)
	}
	return answer.Nodes
}

func (m *members) all() []*node {
	return append(append([]*node{m.keeper}, m.origins...), m.edges...)
}

func (m *members) awaitMembers(t *testing.T, want int) {
	t.Helper()
	for _, n := range m.all() {
		await(t, fmt.Sprintf("all nodes know %d members", want), func() bool {
			return len(n.members(t)) == want
		})
	}
}

// TestMembers publishes on one origin: viewers on every node have the broadcast, byte for byte, the
// other origin is its standby, and the cluster says so on every node.
func TestMembers(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	early := m.watchers(t, "film")
	p := publish(t, m.origins[1], "film")
	p.feed(t, film.get(t))
	early[0].awaitUnits(t, 200)
	all := slices.Concat(early, m.watchers(t, "film"), watchBoth(t, m.origins[0], "film"),
		watchBoth(t, m.origins[1], "film"), watchBoth(t, m.keeper, "film"))
	for _, n := range m.all() {
		await(t, "every node knows the active and the standby", func() bool {
			_, text := n.get(t, "/v1/broadcasts")
			return strings.Contains(text, `"o-2"`) && strings.Contains(text, `"standby":"o-1"`)
		})
	}
	for _, v := range all {
		v.awaitUnits(t, 300)
	}
	settle(t, p, all...)
	for _, v := range all {
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
	for _, e := range m.edges {
		if e.metric(t, "headwater_topic_gaps_total") != 0 {
			t.Error("something was skipped or lost")
		}
	}
}

// TestMembersTakeover kills the active origin again and again: its publisher comes back to the
// other one, viewers on two edges are let go by nobody, and a blur that was commanded once holds on
// whichever origin.
func TestMembersTakeover(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	viewers := m.watchers(t, "show")
	encoder := encode(t, m.origins[0].rtmpURL("show"))
	for moves := 1; moves <= 3; moves++ {
		awaitShown(t, viewers, moves)
		now := (moves - 1) % 2
		m.origins[now].kill(t)
		encoder.kill(t)
		encoder = encode(t, m.origins[1-now].rtmpURL("show"))
		m.origins[now] = m.join(t, fmt.Sprint("o-", now+1), "origin")
	}
	awaitShown(t, viewers, 4)
	checkUndisturbed(t, m.cluster, viewers)
}

// TestMembersSuspended stops the active's process for ten seconds: its publisher goes elsewhere.
// Once woken it knows that it is not the active any more, nobody takes what it says, and it is a
// member again without a restart.
func TestMembersSuspended(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	viewers := m.watchers(t, "show")
	old := publish(t, m.origins[0], "show")
	old.feed(t, film.get(t))
	awaitShown(t, viewers, 1)
	m.origins[0].signal(t, syscall.SIGSTOP)
	stopped := time.Now()
	next := publish(t, m.origins[1], "show")
	next.feed(t, film.get(t))
	awaitShown(t, viewers, 2)
	for _, n := range m.edges {
		await(t, "the silent node is no member", func() bool { return len(n.members(t)) == 4 })
	}
	awaitFor(t, 20*time.Second, "it has been stopped for ten seconds", func() bool {
		return time.Since(stopped) > 10*time.Second
	})
	m.origins[0].signal(t, syscall.SIGCONT)
	ends(t, "the publisher of the woken node", old.ended)
	m.awaitMembers(t, 5)
	seen := len(viewers[0].got())
	await(t, "the viewers go on", func() bool { return len(viewers[0].got()) > seen+60 })
	next.halt()
	checkUndisturbed(t, m.cluster, viewers)
	third := publish(t, m.origins[0], "other") // it takes broadcasts again
	third.feed(t, film.get(t))
	v := watchFLV(t, m.edges[0], "other")
	v.awaitUnits(t, 100)
	third.halt()
}

// TestMembersWithoutEtcd stops etcd for a while: what is on the air goes on, a new publisher is
// told why not, and everything is as before once it is back, without a restart.
func TestMembersWithoutEtcd(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	viewers := m.watchers(t, "show")
	p := publish(t, m.origins[0], "show")
	p.feed(t, film.get(t))
	awaitShown(t, viewers, 1)
	m.keeper.signal(t, syscall.SIGSTOP)
	stopped := time.Now()
	awaitFor(t, 20*time.Second, "more than two leases have passed", func() bool {
		return time.Since(stopped) > 8*time.Second
	})
	if _, err := publishOn(t, dial(t, m.origins[1].rtmp), "late"); err == nil {
		t.Error("a publisher is taken that nobody can have registered")
	} else if !strings.Contains(err.Error(), "etcd") {
		t.Errorf("a publisher is refused without a reason to act upon: %v", err)
	}
	seen := len(viewers[0].got())
	await(t, "the viewers go on", func() bool { return len(viewers[0].got()) > seen+60 })
	m.keeper.signal(t, syscall.SIGCONT)
	m.awaitMembers(t, 5)
	var late *publisher
	await(t, "a new publisher is taken", func() bool {
		var err error
		late, err = publishOn(t, dial(t, m.origins[1].rtmp), "late")
		return err == nil
	})
	late.feed(t, film.get(t))
	v := watchFLV(t, m.edges[1], "late")
	v.awaitUnits(t, 100)
	late.halt()
	settle(t, p, viewers...)
	checkUndisturbed(t, m.cluster, viewers)
}

// TestMembersTiers has one edge in three follow the origins, and the others follow edges.
func TestMembersTiers(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 4, "--edge.fanout", "2")
	early := m.watchers(t, "film")
	p := publish(t, m.origins[0], "film")
	p.feed(t, film.get(t))
	early[0].awaitUnits(t, 200)
	all := append(early, m.watchers(t, "film")...)
	for _, v := range all {
		v.awaitUnits(t, 300)
	}
	settle(t, p, all...)
	served := 0
	for _, e := range m.edges {
		if e.metric(t, "headwater_links", `side="origin"`) > 0 {
			served++
		}
	}
	if served == 0 {
		t.Error("no edge feeds another")
	}
}

// TestJoinIsLocal has a crowd join a broadcast that its edge has already: the edge says nothing to
// anybody but that it lives.
func TestJoinIsLocal(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 1)
	e := m.edges[0]
	p := publish(t, m.origins[0], "film")
	p.feed(t, film.get(t))
	watchFLV(t, e, "film").awaitUnits(t, 100)
	said := func() (bytes, questions float64) {
		return e.metric(t, "headwater_link_bytes_total", `side="edge"`, `direction="sent"`),
			e.metric(t, "headwater_wire_requests_total", `side="asked"`)
	}
	bytes, questions := said()
	for _, v := range crowd(t, e, "film") {
		v.awaitUnits(t, 60)
	}
	bytesAfter, questionsAfter := said()
	const beat = 13 // bytes of a ping or pong; a subscription to this broadcast has 35
	if more := int(bytesAfter - bytes); more%beat != 0 || questionsAfter != questions {
		t.Errorf("twenty viewers had the edge send %d bytes and ask %v questions", more,
			questionsAfter-questions)
	}
	p.halt()
}
