package own

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// expect compares counts: running, started, left.
func expect(t *testing.T, c *Counts, running int64, started uint64, left int64) {
	t.Helper()
	if r, s, l := c.Running.Load(), c.Started.Load(), c.Left.Load(); r != running ||
		s != started || l != left {
		t.Errorf("running %d started %d left %d, want %d, %d and %d", r, s, l, running, started, left)
	}
}

func noPanic(t *testing.T) func(*Panic) {
	return func(p *Panic) { t.Errorf("%v\n%s", p, p.Stack) }
}

func TestStopCancelsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counts
		g := NewGroup(&c, noPanic(t))
		for i := range 3 {
			if !g.Go("worker", func(ctx context.Context) {
				<-ctx.Done()
				<-time.After(time.Duration(i) * time.Second) // takes its time
			}) {
				t.Fatal("refused")
			}
		}
		expect(t, &c, 3, 3, 0)
		if g.Len() != 3 {
			t.Errorf("len %d", g.Len())
		}
		begin := time.Now()
		if left := g.Stop(5 * time.Second); left != 0 {
			t.Errorf("left %d", left)
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("stop took %v, want the 2s of the slowest", took)
		}
		expect(t, &c, 0, 3, 0)
	})
}

func TestGoAfterStopIsRefused(t *testing.T) {
	for name, end := range map[string]func(*Group){
		"cancel": (*Group).Cancel,
		"stop":   func(g *Group) { g.Stop(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			var c Counts
			g := NewGroup(&c, noPanic(t))
			end(g)
			if g.Go("late", func(context.Context) { t.Error("ran") }) {
				t.Error("not refused")
			}
			expect(t, &c, 0, 0, 0)
			if g.Stop(time.Second) != 0 {
				t.Error("left")
			}
		})
	}
}

func TestGoFromOwnedGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counts
		g := NewGroup(&c, noPanic(t))
		g.Go("parent", func(ctx context.Context) {
			if !g.Go("child", func(ctx context.Context) { <-ctx.Done() }) {
				t.Error("refused while running")
			}
			<-ctx.Done()
			if g.Go("late child", func(context.Context) {}) {
				t.Error("not refused while stopping")
			}
		})
		synctest.Wait()
		if g.Stop(time.Second) != 0 {
			t.Error("left")
		}
		expect(t, &c, 0, 2, 0)
	})
}

func TestWhoIgnoresItsContextIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counts
		g := NewGroup(&c, noPanic(t))
		release := make(chan struct{})
		g.Go("deaf", func(context.Context) { <-release })
		g.Go("deaf too", func(context.Context) { <-release })
		g.Go("good", func(ctx context.Context) { <-ctx.Done() })
		begin := time.Now()
		if left := g.Stop(5 * time.Second); left != 2 {
			t.Errorf("left %d, want 2", left)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("stop took %v, want the deadline of 5s", took)
		}
		expect(t, &c, 2, 3, 2)
		if left := g.Stop(time.Second); left != 2 {
			t.Errorf("second stop: left %d, want 2", left)
		}
		expect(t, &c, 2, 3, 2) // none is counted twice
		close(release)
		synctest.Wait()
		expect(t, &c, 0, 3, 0)
	})
}

func TestPanicIsReportedWithStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counts
		var got *Panic
		g := NewGroup(&c, func(p *Panic) { got = p })
		g.Go("reader", panics)
		synctest.Wait()
		if got == nil || got.Name != "reader" || !errors.Is(got.Value.(error), errBoom) {
			t.Fatalf("reported %+v", got)
		}
		if !strings.Contains(string(got.Stack), "own.panics") {
			t.Errorf("the stack does not show where:\n%s", got.Stack)
		}
		if got.Error() != "goroutine reader panicked: boom" {
			t.Errorf("error %q", got.Error())
		}
		expect(t, &c, 0, 1, 0)
		if g.Stop(time.Second) != 0 {
			t.Error("left")
		}
	})
}

var errBoom = errors.New("boom")

func panics(context.Context) { panic(errBoom) }

func TestGoexitIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Counts
		g := NewGroup(&c, noPanic(t))
		g.Go("exits", func(context.Context) { runtime.Goexit() })
		synctest.Wait()
		expect(t, &c, 0, 1, 0)
		g.Stop(0)
	})
}

// Whatever races with Stop either is refused or is waited for.
func TestGoRacesWithStop(t *testing.T) {
	for range 200 {
		var c Counts
		g := NewGroup(&c, noPanic(t))
		var starters sync.WaitGroup
		var ran, taken sync.Map
		for i := range 4 {
			starters.Go(func() {
				for j := range 8 {
					key := i*8 + j
					if g.Go("racer", func(ctx context.Context) {
						ran.Store(key, true)
						<-ctx.Done()
					}) {
						taken.Store(key, true)
					}
				}
			})
		}
		var stoppers sync.WaitGroup
		for range 2 {
			stoppers.Go(func() {
				if left := g.Stop(time.Minute); left != 0 {
					t.Errorf("left %d", left)
				}
			})
		}
		stoppers.Wait()
		if r := c.Running.Load(); r != 0 {
			t.Fatalf("%d run after Stop", r)
		}
		starters.Wait()
		taken.Range(func(key, _ any) bool {
			if _, ok := ran.Load(key); !ok {
				t.Errorf("%v was taken but never ran", key)
			}
			return true
		})
		if c.Running.Load() != 0 || c.Left.Load() != 0 {
			t.Fatalf("running %d left %d", c.Running.Load(), c.Left.Load())
		}
	}
}
