package actors

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// TestIdleEdges says what an edge costs in memory that has no viewer, and whose broadcast, on
// another node, is not on the air: all of its actors, their mailboxes, its ring, its place in the
// directory and what it is watched by. What a link keeps of it is measured in its package.
func TestIdleEdges(t *testing.T) {
	const edges = 1000
	for name, c := range map[string]struct {
		most uint64
		add  func(n *Node, at ClusterPlace, key string)
	}{
		"held": {10_200, func(n *Node, _ ClusterPlace, key string) {
			n.tree.pinned.hold(edgeName(key, ""), true)
			n.tree.system.Root.Send(n.tree.fixed.edges,
				&supervise.StartChild{Spec: n.tree.edge(key, "")})
		}},
		"pinned": {12_800, func(n *Node, at ClusterPlace, key string) {
			n.tree.system.Root.Send(at.Pins, &supervise.StartChild{Spec: at.Pin(key, "", "o-2")})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n, at := clusteredNode(t, &elsewhere{}, 10*time.Second)
			census := n.tree.Runtime.Census
			var before uint64
			for i := range edges + 100 {
				if i == 100 { // what grows once for all is there
					before = allocated()
				}
				c.add(n, at, fmt.Sprint("live/stream-", i))
				if i%20 == 19 {
					eventually(t, "they are there", func() bool { return len(census.PIDs("relay")) > i })
				}
			}
			eventually(t, "all is quiet", func() bool { return runtime.NumGoroutine() < 50 })
			each := (allocated() - before) / edges
			t.Logf("%d bytes an edge", each)
			if each > c.most {
				t.Errorf("want %d at the most", c.most)
			}
		})
	}
}

func allocated() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// clusteredNode is a node whose registrar says that everything is on another one.
func clusteredNode(
	t *testing.T, registrar *elsewhere, linger time.Duration,
) (*Node, ClusterPlace) {
	t.Helper()
	var place ClusterPlace
	n, err := Start(Options{
		Runtime: &supervise.Runtime{
			Census: supervise.NewCensus(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		},
		Registry: prometheus.NewRegistry(), Ring: topic.DefaultLimits(), Grace: time.Second,
		Linger: linger,
		Cluster: Cluster{Registrar: func(at ClusterPlace) func(*supervise.Self) actor.Actor {
			place = at
			return func(*supervise.Self) actor.Actor { return registrar }
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stopInTheEnd(t, n)
	eventually(t, "it is up", func() bool {
		return len(n.tree.Runtime.Census.PIDs("listeners")) == 1
	})
	return n, place
}

// elsewhere is a registrar, and the link to the one other node that it knows.
type elsewhere struct {
	mu    sync.Mutex
	heard []string
}

// heards counts how often it was told something.
func (e *elsewhere) heards(what string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, h := range e.heard {
		if h == what {
			n++
		}
	}
	return n
}

func (e *elsewhere) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, what)
}

// Receive implements actor.Actor.
func (e *elsewhere) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *supervise.Rebind:
		e.note("rebind " + msg.Sibling)
	case *directory.Locate:
		e.note("locate " + msg.Key)
		ctx.Respond(&directory.Places{
			Key: msg.Key, Places: []directory.Place{{Node: "o-1", Link: ctx.Self()}},
		})
	case *directory.Forget:
		e.note("forget " + msg.Key)
	case *gate.Subscribe:
		ctx.Watch(msg.Subscriber)
	}
}
