package supervise

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// idle is a worker that has nothing to do.
func idle(*Self) actor.Actor { return actor.ReceiveFunc(func(actor.Context) {}) }

// crowd returns a tree with a dynamic supervisor, and how to ask it for a child.
func crowd(b *testing.B) (start func(name string)) {
	b.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
	system := actor.NewActorSystem(actor.WithLoggerFactory(
		func(*actor.ActorSystem) *slog.Logger { return quiet }))
	rt := &Runtime{Census: NewCensus(), Log: quiet}
	pid, err := rt.Start(system, Spec{Name: "root", Kind: "root", Strategy: Dynamic}, nil)
	if err != nil {
		b.Fatal(err)
	}
	start = func(name string) {
		spec := Spec{Name: name, Kind: "child", Restart: Temporary, New: idle, Mailbox: 16}
		f := system.Root.RequestFuture(pid, &StartChild{Spec: spec}, time.Minute)
		if answer, err := f.Result(); err != nil {
			b.Fatal(answer, err)
		}
	}
	b.Cleanup(func() {
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			b.Error(err)
		}
	})
	return start
}

// BenchmarkStartChild is the cost of a child from the question to the answer that it is up, and the
// memory that it holds while it is idle.
func BenchmarkStartChild(b *testing.B) {
	start := crowd(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		start(fmt.Sprint(n))
		n++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(int64(after.HeapAlloc-before.HeapAlloc))/float64(n), "heap-B/child")
}
