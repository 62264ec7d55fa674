package e2e

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// TestViewerFirst has viewers who come before their publisher. The node waits with them, far longer
// than the test waits for anything.
func TestViewerFirst(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--viewer.wait", "10m")
	viewers := watchBoth(t, n, "later")
	await(t, "both viewers wait", func() bool { return n.metric(t, "headwater_viewers") == 2 })
	if got := n.broadcasts(t); len(got) != 0 {
		t.Errorf("there are broadcasts already: %+v", got)
	}
	p := publish(t, n, "later")
	p.feed(t, film.get(t))
	for _, v := range viewers {
		v.awaitUnits(t, 100)
		_, rest := begin(v.got())
		if first := film.get(t)[nth(film.get(t), 1)]; !rest[0].same(first) {
			t.Errorf("%s: began with %v, want the very first picture %v", v.name, rest[0], first)
		}
	}
	settle(t, p, viewers...)
}

// TestNeverComes has viewers of a stream that never comes. They are told so and closed.
func TestNeverComes(t *testing.T) {
	t.Parallel()
	for _, wait := range []string{"0s", "1s"} {
		t.Run(wait, func(t *testing.T) {
			t.Parallel()
			n := startNode(t, "--viewer.wait", wait)
			byRTMP, byHTTP := watchRTMP(t, n, "never"), watchFLV(t, n, "never")
			ends(t, byRTMP.name, byRTMP.ended)
			ends(t, byHTTP.name, byHTTP.ended)
			var status *rtmp.StatusError
			if !errors.As(byRTMP.err, &status) || status.Code != "NetStream.Play.StreamNotFound" ||
				status.Description == "" {
				t.Errorf("%s: %v", byRTMP.name, byRTMP.err)
			}
			var answer *httpError
			if !errors.As(byHTTP.err, &answer) || answer.status != http.StatusNotFound ||
				answer.text == "" {
				t.Errorf("%s: %v", byHTTP.name, byHTTP.err)
			}
			await(t, "the node has forgotten them", func() bool {
				return n.metric(t, "headwater_viewers") == 0 &&
					n.metric(t, "headwater_viewer_closes_total", `reason="not_found"`) == 2
			})
		})
	}
}

// TestGrace has a publisher who does not come back.
func TestGrace(t *testing.T) {
	t.Parallel()
	units := film.get(t)
	n := startNode(t, "--publish.grace", "1s", "--viewer.wait", "2s", "--viewer.linger", "1s")
	byRTMP, byHTTP := watchRTMP(t, n, "show"), watchFLV(t, n, "show")
	p := publish(t, n, "show")
	p.feed(t, units)
	byRTMP.awaitUnits(t, 100)
	byHTTP.awaitUnits(t, 100)
	settle(t, p, byRTMP, byHTTP)
	p.conn.Close()
	n.awaitState(t, "show", 1, "grace")
	byRTMP.mustWatch(t)
	byHTTP.mustWatch(t)
	await(t, "the broadcast has ended", func() bool { return len(n.broadcasts(t)) == 0 })
	ends(t, byRTMP.name, byRTMP.ended)
	ends(t, byHTTP.name, byHTTP.ended)
	if !byRTMP.heard("NetStream.Play.Stop: the broadcast has ended") ||
		!errors.Is(byRTMP.err, io.EOF) {
		t.Errorf("%s: %v, %v", byRTMP.name, byRTMP.words, byRTMP.err)
	}
	if !errors.Is(byHTTP.err, io.EOF) {
		t.Errorf("%s: %v", byHTTP.name, byHTTP.err)
	}
	await(t, "two viewers were closed because the broadcast ended", func() bool {
		return n.metric(t, "headwater_viewer_closes_total", `reason="ended"`) == 2
	})
	await(t, "nothing is left of the broadcast", func() bool {
		_, tree := n.get(t, "/debug/tree?all=1")
		return !strings.Contains(tree, "live/show")
	})
	await(t, "the log says why the broadcast ended", func() bool {
		return n.stderr.has("the publisher did not come back within the grace time")
	})
}

// TestNoGrace has a node that does not wait for publishers at all: a broadcast goes with its
// publisher, and a new one begins with the next.
func TestNoGrace(t *testing.T) {
	t.Parallel()
	units := film.get(t)
	n := startNode(t, "--publish.grace", "0s")
	viewers := watchBoth(t, n, "show")
	for epoch := 1; epoch <= 3; epoch++ {
		p := publish(t, n, "show")
		p.feed(t, units)
		awaitShown(t, viewers, epoch)
		p.halt()
		p.conn.Close()
		await(t, "the broadcast has ended", func() bool { return len(n.broadcasts(t)) == 0 })
	}
	for _, v := range viewers {
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
}

// TestNoLinger has a node that keeps nothing for viewers who may come back.
func TestNoLinger(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--viewer.linger", "0s")
	empty := n.held(t)
	for range 3 {
		viewers := watchBoth(t, n, "never")
		await(t, "both viewers wait", func() bool { return n.metric(t, "headwater_viewers") == 2 })
		for _, v := range viewers {
			v.leave(t)
		}
		n.awaitHeld(t, "after the viewers left", empty)
	}
}
