package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// world is one simulated node and all around it. Its driver, the test's goroutine, runs everything:
// the clients' goroutines run only while it waits for them to come to rest.
type world struct {
	t          *testing.T
	seed       uint64
	rng        *rand.Rand // the plan's
	pace       *rand.Rand // the steps'
	trace      *trace
	dispatcher *dispatcher
	agenda     agenda
	node       *actors.Node
	census     *supervise.Census
	options    actors.Options
	plan       plan

	ledger     *ledger
	keys       []*key
	sessions   map[string]*session // by the PID of their ingest
	viewers    map[string]*viewer  // by the PID of their actor
	probes     map[string]*probe   // the live workers, by PID
	bombs      map[string]bomb     // actors that fail at their next message
	sabotage   sabotage
	asked      int
	sessionIDs uint32
	system     *actor.ActorSystem
	turn       sync.Mutex // held by whoever runs: the driver, or a client while the driver rests
	lastNode   time.Time  // when one of the node's own actors was made to fail
	overloads  int
	bombed     bool // an actor may have panicked while it ended
	over       bool // publishers and viewers do not come back
	counts     tally
	broken     error // the first thing that did not hold
}

// tally is what a run amounted to.
type tally struct {
	steps, units, jumps, sessions, viewers, crashes, drops int
}

// errBroken ends a run at the first thing that does not hold.
func (w *world) fail(who string, err error) {
	if w.broken == nil {
		w.trace.add(who, "BROKEN", err.Error())
		w.broken = fmt.Errorf("%s: %w", short(who), err)
	}
}

func newWorld(t *testing.T, seed uint64, out io.Writer) *world {
	stream := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
	w := &world{
		t: t, seed: seed, rng: stream(1), pace: stream(2),
		trace: newTrace(out), dispatcher: newDispatcher(stream(3)), census: supervise.NewCensus(),
		ledger: newLedger(), sessions: map[string]*session{}, viewers: map[string]*viewer{},
		probes: map[string]*probe{}, bombs: map[string]bomb{},
	}
	w.plan = drawPlan(w.rng)
	jitter := stream(4)
	w.options = actors.Options{
		Runtime: &supervise.Runtime{
			Census: w.census, Log: slog.New(logs{trace: w.trace, who: "node"}),
			Dispatcher: w.dispatcher, Batch: 1, Jitter: jitter.Float64,
		},
		Registry: prometheus.NewRegistry(),
		Policy:   w.plan.policy, Grace: w.plan.grace, Linger: w.plan.linger, Window: w.plan.window,
		Ring:   topic.Limits{Bytes: w.plan.ringBytes, Time: media.Time(w.plan.ringTime)},
		Viewer: edge.Bounds{Wait: w.plan.wait, Behind: w.plan.behind},
		Caps:   &listen.Caps{},
		Seams:  actors.Seams{Spec: w.instrument, Ask: w.ask},
	}
	return w
}

// start starts the node.
func (w *world) start() error {
	node, err := actors.Start(w.options)
	if err != nil {
		return err
	}
	w.node = node
	w.rest(synctest.Wait)
	return nil
}

// in has the driver do something in a while.
func (w *world) in(d time.Duration, do func()) { w.agenda.add(time.Now().Add(d), do) }

// rest has the driver wait for something, and lets others run meanwhile.
func (w *world) rest(wait func()) {
	w.turn.Unlock()
	wait()
	w.turn.Lock()
}

// client runs what waits for the tree on a goroutine of its own, and then done on the driver's.
func (w *world) client(ctx context.Context, run func(context.Context) error, done func(error)) {
	go func() {
		err := run(ctx)
		w.dispatcher.Schedule(func() { done(err) })
	}()
	w.rest(synctest.Wait)
}

// run lets time pass until then.
func (w *world) run(until time.Time) {
	for w.broken == nil {
		w.rest(synctest.Wait) // for whoever is woken at the same instant
		w.wakeViewers()
		now := time.Now()
		if do := w.agenda.due(now); do != nil {
			do()
			continue
		}
		if !now.Before(until) {
			return
		}
		if w.dispatcher.step(now) {
			w.counts.steps++
			pause := w.stepTime()
			w.rest(func() { <-time.After(pause) })
			continue
		}
		w.idle(now, until)
	}
}

// stepTime is what a message costs: never the same, so that no two timers fall on one instant.
func (w *world) stepTime() time.Duration {
	return time.Duration(1+w.pace.IntN(20000)) * time.Nanosecond
}

// idle waits for the next thing to do.
func (w *world) idle(now, until time.Time) {
	for _, at := range []time.Time{w.agenda.next(), w.dispatcher.fed(now)} {
		if !at.IsZero() && at.Before(until) {
			until = at
		}
	}
	timer := time.NewTimer(until.Sub(now))
	defer timer.Stop()
	w.rest(func() {
		select {
		case <-w.dispatcher.wake:
		case <-timer.C:
		}
	})
}

// errStuck says that the tree does not go down.
var errStuck = errors.New("stop: the tree does not end")

// stop takes the node down and looks whether anything is left.
func (w *world) stop() {
	ended := false
	w.client(context.Background(), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return w.node.Stop(ctx, "the simulation ends")
	}, func(err error) {
		ended = true
		if err != nil {
			w.fail("node", err)
		}
	})
	w.run(time.Now().Add(2 * time.Minute))
	if w.broken != nil {
		return
	}
	if n := w.census.Len(); !ended || n != 0 {
		w.fail("node", fmt.Errorf("%w: %d actors are left", errStuck, n))
	}
}

// simulate runs one seed and returns what it amounted to.
func simulate(t *testing.T, seed uint64, s sabotage, out io.Writer) (w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, seed, out)
		w.turn.Lock()
		defer w.turn.Unlock()
		w.sabotage = s
		w.trace.add("plan", fmt.Sprint("seed ", seed), w.plan.String())
		if err := w.start(); err != nil {
			t.Fatal(err)
		}
		w.populate()
		began := time.Now()
		w.run(began.Add(w.plan.faults))
		w.trace.add("plan", "calm", "no more faults")
		w.run(began.Add(w.plan.faults + calm))
		w.checkAlive()
		w.disperse()
		w.run(time.Now().Add(w.farewell()))
		w.checkGone()
		w.stop()
		if w.broken != nil { // nothing of it may keep the bubble from its end
			w.drain()
		}
	})
	return w
}

// drain runs whatever is left after a failure, so that its goroutines end.
func (w *world) drain() {
	broken := w.broken
	w.broken = nil
	w.over = true
	w.agenda = agenda{}
	ended := false
	w.client(context.Background(), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return w.node.Stop(ctx, "the simulation has failed")
	}, func(error) { ended = true })
	for range 200 {
		if ended {
			break
		}
		w.run(time.Now().Add(time.Second))
		w.broken = nil
	}
	w.run(time.Now().Add(time.Minute))
	w.broken = broken
}

// sabotage breaks what a healthy tree keeps, to see that it is noticed.
type sabotage uint8

const (
	none          sabotage = iota
	loseUnit               // a viewer does not get a unit
	repeatUnit             // a viewer gets a unit twice
	deafTopic              // a topic does not hear of its publisher's end
	deafViewers            // a viewer does not hear that there is more
	stickyViewer           // a viewer does not leave
	unseenHeader           // a viewer does not get a header
	headlessRelay          // a relay passes on nothing after a restart
)
