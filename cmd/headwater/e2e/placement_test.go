package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestMembersPlacement asks each node where to publish and watch: the active one first, a draining
// one never, a full one not for others; and what each says on /readyz meanwhile.
func TestMembersPlacement(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2, "--limits.broadcasts", "1")
	p := publish(t, m.origins[1], "film")
	p.feed(t, film.get(t))
	for _, n := range m.all() {
		await(t, "each names the active one first", func() bool {
			at, err := n.place("film")
			return err == nil && at.Publish != nil && at.Publish.Node == "o-2" &&
				at.Publish.URL == m.origins[1].rtmpURL("film")
		})
		await(t, "another key goes to the other, as one has all that it takes", func() bool {
			at, err := n.place("other")
			return err == nil && at.Publish != nil && at.Publish.Node == "o-1"
		})
		at, err := n.place("film")
		if err != nil || len(at.Watch) != 3 { // the keeper is an edge too
			t.Fatalf("watch: %+v, %v", at, err)
		}
		for _, edge := range at.Watch {
			if strings.HasPrefix(edge.Node, "o-") || edge.Weight < 1 || edge.Weight > 100 {
				t.Errorf("watch: %+v", edge)
			}
		}
	}
	// A full one refuses, and names the other.
	_, err := publishOn(t, dial(t, m.origins[1].rtmp), "other")
	want := "node o-2 is full; publish to node o-1, rtmp://" + m.origins[0].rtmp
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a full node says %v, want %s", err, want)
	}
	again := publish(t, m.origins[1], "film") // its own it takes again
	again.feed(t, film.get(t))
	second := publish(t, m.origins[0], "other")
	second.feed(t, film.get(t))
	await(t, "both are full: nobody takes a third", func() bool {
		at, err := m.keeper.place("third")
		return err == nil && at.Publish == nil && at.Reason == "no node takes a publisher now"
	})
	_, err = publishOn(t, dial(t, m.origins[1].rtmp), "third")
	if err == nil || !strings.Contains(err.Error(), "there is no other to publish to") {
		t.Errorf("with all full, a node says %v", err)
	}
	m.checkDraining(t)
	m.checkWithoutLease(t)
}

// checkDraining drains an edge by another node, and ends that.
func (m *members) checkDraining(t *testing.T) {
	t.Helper()
	e := m.edges[0]
	m.keeper.cli(t, "drain", "e-1")
	if status, body := e.get(t, "/readyz"); status != http.StatusServiceUnavailable ||
		body != "draining\n" {
		t.Errorf("while it drains: %d %q", status, body)
	}
	for _, n := range m.all() {
		await(t, "nobody is sent to it", func() bool {
			at, err := n.place("film")
			for _, edge := range at.Watch {
				if edge.Node == "e-1" {
					return false
				}
			}
			return err == nil && len(at.Watch) == 2
		})
	}
	m.keeper.cli(t, "drain", "e-1", "--off")
	if status, body := e.get(t, "/readyz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("after: %d %q", status, body)
	}
}

// checkWithoutLease stops etcd until leases are lost: nodes stay ready and say so.
func (m *members) checkWithoutLease(t *testing.T) {
	t.Helper()
	m.keeper.signal(t, syscall.SIGSTOP)
	for _, n := range append(m.origins, m.edges...) {
		await(t, "it says that its lease is lost, and is ready", func() bool {
			status, body := n.get(t, "/readyz")
			if status != http.StatusOK {
				t.Fatalf("without its lease: %d %q", status, body)
			}
			return strings.HasPrefix(body, "ok; the lease is lost: no new publisher is taken")
		})
	}
	m.keeper.signal(t, syscall.SIGCONT)
	for _, n := range append(m.origins, m.edges...) {
		await(t, "the lease is back", func() bool {
			_, body := n.get(t, "/readyz")
			return body == "ok\n"
		})
	}
}
