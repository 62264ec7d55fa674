package e2e

import (
	"strings"
	"testing"
)

// TestLinkCrashes has every actor between an origin and an edge's viewers fail, under a broadcast
// of which each byte is known: what is restarted goes on where it was, and no unit is lost.
func TestLinkCrashes(t *testing.T) {
	t.Parallel()
	drills := []string{"HEADWATER_DRILLS=1"}
	o := launchNodeIn(t, drills, "--node.name", "o-1", "--link.listen", "127.0.0.1:0")
	e := launchNodeIn(t, drills, "--node.name", "e-1", "--link.origins", "o-1="+o.links(t))
	e.awaitLinks(t, "edge", 1)
	viewers := watchBoth(t, e, "film")
	p := publish(t, o, "film")
	p.feed(t, film.get(t))
	viewers[0].awaitUnits(t, 50)
	epoch := o.broadcast(t, "film").Epoch
	for i, crash := range []struct {
		node *node
		path string
	}{
		{e, "node/links/dial/o-1"},
		{e, "node/links/link/o-1"},
		{e, "node/edges/edge/live/film/relay"},
		{e, "node/edges/edge/live/film/topic/source"},
		{o, "its peer"},
		{o, "node/directory"},
		{o, "node/links"},
		{e, "node/links"},
		{e, "node/directory"},
	} {
		if crash.path == "node/links" {
			crash.node.awaitLinks(t, side(crash.node == e), 1)
		}
		if crash.path == "its peer" {
			crash.path = "node/links/peers/" + peerOf(t, o)
		}
		crash.node.crash(t, crash.path)
		viewers[0].awaitUnits(t, 50+120*(i+1))
		crash.node.awaitLinks(t, side(crash.node == e), 1)
	}
	settle(t, p, viewers...)
	for _, v := range viewers {
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
	if b := o.broadcast(t, "film"); b.Epoch != epoch {
		t.Errorf("the broadcast began anew: epoch %d, then %d", epoch, b.Epoch)
	}
	e.stop(t)
	o.stop(t)
}

func side(edge bool) string {
	if edge {
		return "edge"
	}
	return "origin"
}

// peerOf is the name of the actor of the one link that a node has taken.
func peerOf(t *testing.T, n *node) string {
	t.Helper()
	_, tree := n.get(t, "/debug/tree?all=1")
	_, rest, found := strings.Cut(tree, "(peer/")
	name, _, closed := strings.Cut(rest, ")")
	if !found || !closed {
		t.Fatalf("no link was taken:\n%s", tree)
	}
	return "peer/" + name
}
