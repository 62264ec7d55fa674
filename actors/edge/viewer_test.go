package edge

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// play starts a viewer's actor beside a topic that does as answer says, lets act happen, and
// expects that nothing is left of it.
func play(t *testing.T, o ViewerOptions, answer func(actor.Context), act func(end func())) {
	t.Helper()
	system, census := newSystem(), supervise.NewCensus()
	rt := &supervise.Runtime{Census: census, Log: slog.New(slog.DiscardHandler)}
	o.Topic = system.NewLocalPID("root/topic")
	root, err := rt.Start(system, supervise.Spec{
		Name: "root", Kind: "root", Strategy: supervise.OneForOne, Children: []supervise.Spec{
			{Name: "topic", Kind: "topic", New: func(*supervise.Self) actor.Actor {
				return actor.ReceiveFunc(answer)
			}},
			{Name: "viewer", Kind: "viewer", Restart: supervise.Temporary, New: NewViewer(o)},
		},
	}, func(err error) { t.Error("spent:", err) })
	if err != nil {
		t.Fatal(err)
	}
	act(func() {
		if err := system.Root.StopFuture(root).Wait(); err != nil {
			t.Error("stop:", err)
		}
	})
	if n := census.Len(); n != 0 {
		t.Errorf("%d actors are left", n)
	}
	for _, k := range census.Kinds() {
		if n := k.Goroutines.Running.Load(); n != 0 {
			t.Errorf("%d goroutines of kind %s are left", n, k.Name)
		}
	}
	if got := value(t, o.Metrics.of(o.Socket.Protocol).viewers); got != 0 {
		t.Errorf("%v viewers are counted in the end", got)
	}
}

func giveRing(s *source) func(actor.Context) {
	return func(ctx actor.Context) {
		if _, ok := ctx.Message().(*topic.GetRing); ok {
			ctx.Respond(s.ring)
		}
	}
}

func TestViewerWatches(t *testing.T) {
	s := newSource(t)
	s.push("VAKf", 1000)
	tcp, peer := connect(t)
	deadline(t, peer)
	w := viewerOn(t, s, HTTPFLV, tcp, bounds)
	play(t, *w.ViewerOptions, giveRing(s), func(end func()) {
		expectFLV(t, peer, s.sent)
		end()
	})
	if rest, err := io.ReadAll(peer); len(rest) != 0 || err != nil {
		t.Errorf("after the end %d bytes come, %v", len(rest), err)
	}
}

// A viewer whose topic does not answer is told so when it stops, and never holds its connection.
func TestViewerWithoutTopic(t *testing.T) {
	tcp, peer := connect(t)
	deadline(t, peer)
	w := viewerOn(t, newSource(t), HTTPFLV, tcp, bounds)
	asked := make(chan struct{}, 1)
	play(t, *w.ViewerOptions, func(ctx actor.Context) {
		if _, ok := ctx.Message().(*topic.GetRing); ok {
			asked <- struct{}{}
		}
	}, func(end func()) {
		<-asked
		end()
	})
	got, err := io.ReadAll(peer)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 503 ") {
		t.Errorf("the viewer is told %q, %v", got, err)
	}
}

// A question that is lost is asked again.
func TestViewerAsksAgain(t *testing.T) {
	s := newSource(t)
	s.push("VK", 10)
	tcp, peer := connect(t)
	deadline(t, peer)
	w := viewerOn(t, s, HTTPFLV, tcp, bounds)
	asked := 0
	play(t, *w.ViewerOptions, func(ctx actor.Context) {
		if _, ok := ctx.Message().(*topic.GetRing); ok {
			if asked++; asked > 1 {
				ctx.Respond(s.ring)
			}
		}
	}, func(end func()) {
		expectFLV(t, peer, s.sent)
		end()
	})
}

// A topic that never answers is not waited for for ever.
func TestViewerGivesUp(t *testing.T) {
	tcp, peer := connect(t)
	deadline(t, peer)
	b := bounds
	b.Wait = time.Millisecond
	w := viewerOn(t, newSource(t), HTTPFLV, tcp, b)
	play(t, *w.ViewerOptions, func(actor.Context) {}, func(end func()) {
		got, err := io.ReadAll(peer)
		if err != nil || !strings.Contains(string(got), http.StatusText(http.StatusServiceUnavailable)) {
			t.Errorf("the viewer is told %q, %v", got, err)
		}
		end()
	})
}

// A viewer whose listener gave up before it started leaves the connection alone.
func TestViewerComesTooLate(t *testing.T) {
	s := newSource(t)
	s.push("VK", 10)
	tcp, peer := connect(t)
	deadline(t, peer)
	w := viewerOn(t, s, HTTPFLV, tcp, bounds)
	if !w.Socket.Own() {
		t.Fatal("somebody owns the connection")
	}
	play(t, *w.ViewerOptions, giveRing(s), func(end func()) { end() })
	if _, err := tcp.Write([]byte("mine")); err != nil {
		t.Error("the connection is closed:", err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != "mine" {
		t.Errorf("the peer gets %q, %v", got, err)
	}
}
