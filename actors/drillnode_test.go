package actors

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// idleNode is a node without sockets.
func idleNode(t *testing.T) *Node {
	t.Helper()
	n, err := Start(Options{
		Runtime: &supervise.Runtime{
			Census: supervise.NewCensus(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		},
		Registry: prometheus.NewRegistry(), Ring: topic.DefaultLimits(), Grace: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	stopInTheEnd(t, n)
	return n
}

func stopInTheEnd(t *testing.T, n *Node) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := n.Stop(ctx, "the test is over"); err != nil {
			t.Error(err)
		}
	})
}

// TestNodeDrill crashes an actor by its path, and asks for what there is not.
func TestNodeDrill(t *testing.T) {
	n := idleNode(t)
	eventually(t, "the actor is there", func() bool {
		return n.Drill("node/settings", "crash") == nil
	})
	eventually(t, "it has crashed", func() bool {
		var tree strings.Builder
		if err := n.DrawTree(&tree, 0); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(tree.String(), "drill: asked for")
	})
	for _, c := range []struct {
		path, kind string
		want       error
	}{
		{"node/none", "crash", ErrNotFound},
		{"", "crash", ErrNotFound},
		{"watch", "crash", ErrNotFound},
		{"node/settings", "flood", ErrDrill},
	} {
		if err := n.Drill(c.path, c.kind); !errors.Is(err, c.want) {
			t.Errorf("%s %s: %v, want %v", c.path, c.kind, err, c.want)
		}
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still not: %s", what)
		}
	}
}
