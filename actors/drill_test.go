package actors

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/rtmp"
)

const drillBroadcasts = 50

// drill is a node under load, on which actors are made to fail.
type drill struct {
	t          *testing.T
	node       *Node
	census     *supervise.Census
	broadcasts []*drillBroadcast
	clients    sync.WaitGroup
	cancel     context.CancelFunc
}

func newDrill(t *testing.T) *drill {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &drill{t: t, census: supervise.NewCensus(), cancel: cancel}
	open := func() *listen.ListenSocket {
		s, err := listen.Listen(ctx, "127.0.0.1:0", nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	control, web := open(), open()
	var err error
	d.node, err = Start(Options{
		Runtime:  &supervise.Runtime{Census: d.census, Log: slog.New(slog.DiscardHandler)},
		Registry: prometheus.NewRegistry(),
		RTMP:     []RTMPSocket{{Name: "rtmp", Socket: control}}, HTTP: web,
		Handler: func(flv http.Handler) http.Handler { return flv },
		Grace:   10 * time.Second, Linger: 10 * time.Second, Ring: topic.DefaultLimits(),
		Viewer: edge.Bounds{Wait: drillTimeout, Behind: drillTimeout, Stall: drillTimeout},
		Caps:   &listen.Caps{}, Guard: rtmp.DefaultLimits(),
		Handshake: drillTimeout, Idle: drillTimeout,
		Processing: ProcessingOptions{Loudness: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range drillBroadcasts {
		b := &drillBroadcast{
			name: fmt.Sprintf("show%02d", i), rtmp: control.Addr().String(), http: web.Addr().String(),
		}
		b.viewers = []*drillViewer{{of: b, protocol: "rtmp"}, {of: b, protocol: "http"}}
		d.broadcasts = append(d.broadcasts, b)
		d.clients.Go(func() { b.publish(ctx) })
		for _, v := range b.viewers {
			d.clients.Go(func() { v.watch(ctx) })
		}
	}
	return d
}

// stop takes node and clients down, and looks whether anything is left.
func (d *drill) stop() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), drillTimeout)
	defer cancel()
	if err := d.node.Stop(ctx, "the drill is over"); err != nil {
		d.t.Error(err)
	}
	d.cancel()
	d.clients.Wait()
	if n := d.census.Len(); n != 0 {
		d.t.Errorf("%d actors are left", n)
	}
	for _, k := range d.census.Kinds() {
		if n := k.Goroutines.Running.Load(); n != 0 {
			d.t.Errorf("%d goroutines of %s are left", n, k.Name)
		}
	}
}

// until waits for something to become true.
func (d *drill) until(what string, holds func() bool) {
	d.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(drillTimeout)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			var tree bytes.Buffer
			_ = d.node.DrawTree(&tree, 3)
			d.t.Fatalf("%s: not within %v\n%s", what, drillTimeout, &tree)
		}
	}
}

// served waits until each viewer of the broadcasts has got a GOP more than he has now.
func (d *drill) served(what string, broadcasts []*drillBroadcast) {
	d.t.Helper()
	type goal struct {
		v     *drillViewer
		units int
	}
	var goals []goal
	for _, b := range broadcasts {
		for _, v := range b.viewers {
			_, units, _, _ := v.state()
			goals = append(goals, goal{v, units + unitsOfGOP})
		}
	}
	d.until(what, func() bool {
		return !slices.ContainsFunc(goals, func(g goal) bool {
			_, units, _, _ := g.v.state()
			return units < g.units
		})
	})
}

// counts are what the census tells of a kind.
type counts struct{ starts, restarts, failures uint64 }

func (d *drill) counts(kind string) counts {
	for _, k := range d.census.Kinds() {
		if k.Name == kind {
			return counts{k.Starts.Load(), k.Restarts.Load(), k.Failures.Load()}
		}
	}
	return counts{}
}

// victim is the actor of a kind that belongs to the first broadcast, or to the node.
func (d *drill) victim(kind string) string {
	for _, pid := range d.census.PIDs(kind) {
		if strings.Contains(pid, "/live/show00") || !strings.Contains(pid, "/live/") {
			return pid
		}
	}
	d.t.Fatalf("there is no %s", kind)
	return ""
}

// effect is what the failure of an actor costs its own broadcast.
type effect struct {
	kind      string
	restarted []string // kinds that are restarted
	publisher bool     // the publisher's connection is closed
	viewers   int      // so many viewers are let go
}

func effects() []effect {
	return []effect{
		{kind: "topic", restarted: []string{"topic"}},
		{kind: "gate", restarted: []string{"gate"}},
		{kind: "rendition", restarted: []string{"rendition"}},
		{kind: "renditions", restarted: []string{"renditions"}},
		{kind: "processing", restarted: []string{"processing"}},
		{kind: "settings", restarted: []string{"settings"}},
		{kind: "relay", restarted: []string{"relay"}},
		{kind: "edge_topic", restarted: []string{"edge_topic"}}, // the relay stops and starts with it
		{kind: "ingest", publisher: true},
		{kind: "broadcast", publisher: true},
		{kind: "viewer", viewers: 1},
		{kind: "viewers", restarted: []string{"viewers"}, viewers: 2},
		{kind: "edge", viewers: 2},
		{kind: "directory", restarted: []string{"directory"}},
		{kind: "load", restarted: []string{"load"}},
		{kind: "listener", restarted: []string{"listener"}},
	}
}

// TestDrill makes an actor of each kind of one broadcast fail, one after the other, while fifty are
// on the air: the others deliver without a gap, the one recovers or ends as the drawing says.
func TestDrill(t *testing.T) {
	// Protoactor counts dead letters for a second after the first of them.
	defer goleak.VerifyNone(t, goleak.IgnoreTopFunction(
		"github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
	d := newDrill(t)
	d.served("every viewer is served", d.broadcasts)
	for _, e := range effects() {
		t.Run(e.kind, func(t *testing.T) {
			d.t = t
			d.fail(e)
		})
	}
	d.t = t
	d.served("every viewer is served after all", d.broadcasts)
	for _, b := range d.broadcasts[1:] {
		d.unharmed(b)
	}
	d.stop()
}

// fail makes one actor fail and looks at what comes of it.
func (d *drill) fail(e effect) {
	d.t.Helper()
	b := d.broadcasts[0]
	before, sessions := d.counts(e.kind), b.sessions.Load()
	var viewerSessions int
	for _, v := range b.viewers {
		n, _, _, _ := v.state()
		viewerSessions += n
		v.mu.Lock()
		v.worst = 0
		v.mu.Unlock()
	}
	system := d.node.tree.system
	system.Root.Send(system.NewLocalPID(d.victim(e.kind)), &supervise.Crash{Reason: "drill"})
	d.until("the failure is counted", func() bool {
		return d.counts(e.kind).failures == before.failures+1
	})
	if e.publisher {
		d.until("the publisher is back", func() bool { return b.sessions.Load() > sessions })
	}
	d.until("the actor is back", func() bool {
		now := d.counts(e.kind)
		if len(e.restarted) > 0 {
			return now.restarts == before.restarts+1
		}
		return now.starts > before.starts && now.restarts == before.restarts
	})
	d.served("the broadcast is served", d.broadcasts[:1])
	d.until("the sound of every broadcast is measured", func() bool {
		live := 0
		for _, pid := range d.census.PIDs("broadcast") {
			if slices.Contains(d.census.PIDs("loudness"), pid+"/processing/loudness") {
				live++
			}
		}
		return live == drillBroadcasts
	})

	var after int
	for _, v := range b.viewers {
		n, _, gaps, _ := v.state()
		after += n
		v.mu.Lock()
		d.t.Logf("%s viewer: %d gaps, worst %d units", v.protocol, gaps, v.worst)
		if v.worst > unitsOfGOP {
			d.t.Errorf("%s viewer lost %d units, more than a GOP", v.protocol, v.worst)
		}
		for _, bad := range v.bad {
			d.t.Errorf("%s viewer: %s", v.protocol, bad)
		}
		v.bad = nil
		v.mu.Unlock()
	}
	if got := after - viewerSessions; got != e.viewers {
		d.t.Errorf("%d viewers were let go, want %d", got, e.viewers)
	}
	if got := b.sessions.Load() - sessions; (got != 0) != e.publisher {
		d.t.Errorf("the publisher came back %d times, want it: %v", got, e.publisher)
	}
}

// unharmed holds that a broadcast on which nothing failed was served without a gap.
func (d *drill) unharmed(b *drillBroadcast) {
	d.t.Helper()
	if n := b.sessions.Load(); n != 1 {
		d.t.Errorf("%s: %d publishers, want 1", b.name, n)
	}
	for _, v := range b.viewers {
		v.mu.Lock()
		if v.sessions != 1 || len(v.gaps) > 0 || len(v.bad) > 0 {
			d.t.Errorf("%s by %s: %d sessions, gaps %v, bad %v", b.name, v.protocol, v.sessions, v.gaps,
				v.bad)
		}
		v.mu.Unlock()
	}
}
