package mailbox

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
)

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
}

// counting counts how often mailboxes ask to be run.
type counting struct {
	actor.Dispatcher
	n atomic.Int64
}

func (c *counting) Schedule(fn func()) {
	c.n.Add(1)
	c.Dispatcher.Schedule(fn)
}

func TestContentSurvivesRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem()
		var got []int
		starts := 0
		producer, stats := New(Options{})
		pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch msg := ctx.Message().(type) {
			case *actor.Started:
				starts++
			case *control:
				got = append(got, msg.n)
				if msg.n == 2 {
					panic("boom")
				}
			}
		}, actor.WithMailbox(producer), actor.WithGuardian(actor.RestartingSupervisorStrategy())))
		for i := range 6 {
			system.Root.Send(pid, &control{i})
		}
		synctest.Wait()
		if fmt.Sprint(got) != "[0 1 2 3 4 5]" || starts != 2 || stats.Len() != 0 {
			t.Errorf("got %v in %d starts, %d wait", got, starts, stats.Len())
		}
		system.Root.Stop(pid)
		synctest.Wait()
	})
}

// Every message that was posted was either handled, once and in its sender's order, or counted as
// lost: with many senders, urgent messages between, and system messages that suspend and resume.
func TestConcurrentSenders(t *testing.T) {
	const senders, each, capacity = 8, 2000, 64
	var lost atomic.Int64
	producer, stats := New(Options{
		Capacity: capacity, Owner: owner{dropped: func(any) { lost.Add(1) }},
	})
	m := producer()
	var last [senders]int
	handled, urgents := 0, 0
	done := make(chan struct{})
	r := &recorder{handle: func(msg any) {
		switch msg := msg.(type) {
		case *media:
			sender, n := msg.n/each, msg.n%each+1
			if n <= last[sender] {
				t.Errorf("sender %d: %d after %d", sender, n, last[sender])
			}
			last[sender] = n
			handled++
		case *urgent:
			urgents++
		case *actor.PoisonPill:
			close(done)
		}
	}}
	m.RegisterHandlers(r, actor.NewDefaultDispatcher(10))
	m.PostSystemMessage(&actor.Started{})
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				m.PostUserMessage(&media{s*each + i})
				if i%100 == 0 {
					m.PostSystemMessage(&actor.SuspendMailbox{})
					m.PostUserMessage(&urgent{i})
					m.PostSystemMessage(&actor.ResumeMailbox{})
				}
				if n := stats.Len(); n > capacity {
					t.Errorf("%d wait, capacity %d", n, capacity)
				}
			}
		})
	}
	wg.Wait()
	m.PostUserMessage(&actor.PoisonPill{}) // handled last of all, as order is kept
	<-done
	if handled+int(lost.Load()) != senders*each || urgents != senders*each/100 {
		t.Errorf("handled %d and lost %d of %d, urgent %d of %d",
			handled, lost.Load(), senders*each, urgents, senders*each/100)
	}
	if stats.Drops() != uint64(lost.Load()) || stats.Len() != 0 {
		t.Errorf("drops %d, lost %d, len %d", stats.Drops(), lost.Load(), stats.Len())
	}
}

// shuffled is a dispatcher that runs ready mailboxes in an order drawn from a seed.
type shuffled struct {
	rng   *rand.Rand
	ready []func()
}

func (d *shuffled) Schedule(fn func()) { d.ready = append(d.ready, fn) }

func (*shuffled) Throughput() int { return 1 << 30 }

func (d *shuffled) run() {
	for len(d.ready) > 0 {
		i := d.rng.IntN(len(d.ready))
		fn := d.ready[i]
		d.ready = append(d.ready[:i], d.ready[i+1:]...)
		fn()
	}
}

// interleaving returns in which order two actors handled ten messages each.
func interleaving(t *testing.T, seed uint64, batch int) string {
	t.Helper()
	d := &shuffled{rng: rand.New(rand.NewPCG(seed, 0))}
	system := newSystem()
	var trace strings.Builder
	for _, name := range []string{"a", "b"} {
		producer, _ := New(Options{Batch: batch})
		pid, err := system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*control); ok {
				trace.WriteString(name)
			}
		}, actor.WithMailbox(producer), actor.WithDispatcher(d)), name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			system.Root.Send(pid, &control{i})
		}
	}
	d.run()
	return trace.String()
}

func TestBatchOfOneInterleavesBySeed(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(20) {
		trace := interleaving(t, seed, 1)
		if again := interleaving(t, seed, 1); again != trace {
			t.Fatalf("seed %d: %s, then %s", seed, trace, again)
		}
		seen[trace] = true
	}
	if len(seen) < 15 {
		t.Errorf("%d interleavings of 20 seeds", len(seen))
	}
	a, b := strings.Repeat("a", 10), strings.Repeat("b", 10)
	if trace := interleaving(t, 1, 0); trace != a+b && trace != b+a {
		t.Errorf("without a batch: %s", trace)
	}
}
