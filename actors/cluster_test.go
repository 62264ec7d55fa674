package actors

import (
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// tapper follows an edge's ring by its pin.
type tapper struct {
	mu    sync.Mutex
	rings []*topic.Ring
}

// Receive implements actor.Actor.
func (f *tapper) Receive(ctx actor.Context) {
	if msg, ok := ctx.Message().(*gate.Tapped); ok && msg.Epoch == 0 && msg.Key == "live/a" {
		f.mu.Lock()
		defer f.mu.Unlock()
		if n := len(f.rings); n == 0 || f.rings[n-1] != msg.Ring {
			f.rings = append(f.rings, msg.Ring)
		}
	}
}

func (f *tapper) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.rings)
}

// TestPinKeepsItsEdge has an edge without a viewer stay for as long as it is pinned, whatever fails
// around it, and end then.
func TestPinKeepsItsEdge(t *testing.T) {
	n, at := clusteredNode(t, &elsewhere{}, 20*time.Millisecond)
	root, census := n.tree.system.Root, n.tree.Runtime.Census
	for _, who := range []string{"o-1", "o-2"} {
		root.Send(at.Pins, &supervise.StartChild{Spec: at.Pin("live/a", "", who)})
	}
	follower := &tapper{}
	pid := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return follower }))
	const path = "node/pins/pin/live/a@/o-1"
	eventually(t, "both pins are there", func() bool { return len(census.PIDs("pin")) == 2 })
	root.Send(n.tree.system.NewLocalPID(path), &gate.Tap{Follower: pid})
	eventually(t, "the ring is told", func() bool { return follower.count() == 1 })

	root.Send(at.Pins, &supervise.StopChild{Name: "pin/live/a@/o-2"})
	<-time.After(100 * time.Millisecond) // many times Linger
	drill := func(path string, rings int) {
		t.Helper()
		if err := n.Drill(path, drillCrash); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the edge is back after the end of "+path, func() bool {
			return follower.count() == rings && len(census.PIDs("relay")) == 1
		})
	}
	drill("node/edges/edge/live/a", 2)
	drill("node/edges", 3)
	drill(path, 3)
	drill("node/edges/edge/live/a/topic/source", 3)
	drill("node/edges/edge/live/a/viewers", 3)
	drill("node/directory", 3)
	<-time.After(100 * time.Millisecond)
	if follower.count() != 3 {
		t.Errorf("%d rings, want 3", follower.count())
	}
	root.Send(at.Pins, &supervise.StopChild{Name: "pin/live/a@/o-1"})
	eventually(t, "the edge has ended", func() bool { return len(census.PIDs("edge")) == 0 })
	n.tree.pinned.mu.Lock()
	defer n.tree.pinned.mu.Unlock()
	if len(n.tree.pinned.edges) != 0 {
		t.Errorf("%v are held", n.tree.pinned.edges)
	}
}

// TestStateOfAStandby has a node say how far a broadcast came that it only mirrors: whoever takes
// it over goes on from there.
func TestStateOfAStandby(t *testing.T) {
	n, at := clusteredNode(t, &elsewhere{}, time.Minute)
	root := n.tree.system.Root
	if s, err := n.State(t.Context(), "live/a"); err != nil || s.HasLast || s.Epoch != 0 {
		t.Errorf("of what is not here: %+v, %v", s, err)
	}
	root.Send(at.Pins, &supervise.StartChild{Spec: at.Pin("live/a", "", "o-1")})
	eventually(t, "the edge is there", func() bool {
		return len(n.tree.Runtime.Census.PIDs("relay")) == 1
	})
	unit := media.AccessUnit{Kind: media.Data, DTS: 3 * media.Second, Body: []byte{2, 0, 0}}
	root.Send(n.tree.system.NewLocalPID("node/edges/edge/live/a/topic/source"),
		topic.NewUnit(7, 1, unit))
	eventually(t, "it tells how far it came", func() bool {
		s, err := n.State(t.Context(), "live/a")
		return err == nil && s.HasLast && s.Last == 3*media.Second && s.Epoch == 7 && !s.Publishing
	})
}

// TestWhoOutlivesIsTold restarts, one alone, what speaks with the cluster and what it speaks to.
func TestWhoOutlivesIsTold(t *testing.T) {
	r := &elsewhere{}
	n, at := clusteredNode(t, r, time.Minute)
	n.tree.system.Root.Send(at.Pins, &supervise.StartChild{Spec: at.Pin("live/a", "", "o-1")})
	eventually(t, "the key is asked for", func() bool { return r.heards("locate live/a") == 1 })
	for _, c := range []struct{ crash, heard string }{
		{"node/registrar", "locate live/a"},
		{"node/directory", "rebind directory"},
		{"node/links", "rebind links"},
		{"node/pins", "rebind pins"},
	} {
		before := r.heards(c.heard)
		if err := n.Drill(c.crash, drillCrash); err != nil {
			t.Fatal(err)
		}
		eventually(t, c.heard+" after "+c.crash, func() bool { return r.heards(c.heard) > before })
	}
	<-time.After(100 * time.Millisecond)
	if n := r.heards("locate live/a"); n != 3 { // once more for each of the first two crashes
		t.Errorf("the key is asked for %d times, want 3", n)
	}
}
