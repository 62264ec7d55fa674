package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// drainBy runs headwater drain and returns what it prints.
func (n *node) drainBy(t *testing.T, flags ...string) string {
	t.Helper()
	p := start(t, headwater, append([]string{"drain", "n-1", "--url", "http://" + n.http}, flags...)...)
	finish(t, p)
	if p.err != nil {
		t.Fatalf("drain %v: %v\n%s", flags, p.err, &p.stderr)
	}
	return strings.TrimSpace(p.stdout.String())
}

// TestDrain drains a node under viewers: they are told to go, a few at a time; nobody new is taken;
// the publisher stays until he leaves.
func TestDrain(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--node.name", "n-1", "--publish.grace", "500ms")
	p := publish(t, n, "show")
	p.feed(t, film.get(t))
	var all []*viewer
	for range 10 {
		all = append(all, watchBoth(t, n, "show")...)
	}
	for _, v := range all {
		v.awaitUnits(t, 10)
	}
	began := time.Now()
	if got := n.drainBy(t); got != "n-1 is draining; broadcasts left: 1, viewers: 20" {
		t.Errorf("drain prints %q", got)
	}
	if status, body := n.get(t, "/readyz"); status != http.StatusServiceUnavailable ||
		body != "draining\n" {
		t.Errorf("ready: %d %q", status, body)
	}
	for _, v := range all {
		ends(t, v.name, v.ended)
		if strings.Contains(v.name, "rtmp") && !v.heard("the node is draining") {
			t.Errorf("%s is told %q", v.name, v.words)
		}
	}
	if took := time.Since(began); took < 3*time.Second || took > 8*time.Second {
		t.Errorf("the viewers are gone after %v", took)
	}
	var refused *rtmp.StatusError
	if _, err := publishOn(t, dial(t, n.rtmp), "other"); !errors.As(err, &refused) ||
		!strings.Contains(err.Error(), "this node is draining") {
		t.Errorf("a publisher is told %v", err)
	}
	late := watchFLV(t, n, "show")
	ends(t, late.name, late.ended)
	var status *httpError
	if !errors.As(late.err, &status) || status.status != http.StatusServiceUnavailable ||
		!strings.Contains(status.text, "this node is draining") {
		t.Errorf("a viewer is told %v", late.err)
	}
	if over(p.ended) {
		t.Error("the publisher is gone")
	}
	p.halt()
	_ = p.conn.Close()
	if got := n.drainBy(t, "--wait"); got != "n-1 is empty" {
		t.Errorf("drain --wait prints %q", got)
	}
	if got := n.drainBy(t, "--off"); got != "n-1 is ready" {
		t.Errorf("drain --off prints %q", got)
	}
	publish(t, n, "other")
}
