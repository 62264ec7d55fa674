package process

import (
	"bytes"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

// wait is how long a test waits for what has to come.
const wait = 20 * time.Second

// scene is a rendition's actor in a tree with the topic that it follows and a gate that notes what
// it gets.
type scene struct {
	t      testing.TB
	system *actor.ActorSystem
	census *supervise.Census
	source *actor.PID
	actor  *actor.PID
	seq    uint64
	header *topic.Unit
	stop   func()

	mu    sync.Mutex
	order *Order // what a Hello is answered with; nil: nothing
	notes
	changed  chan struct{}
	log      text
	register *prometheus.Registry
}

// notes are what the gate was told.
type notes struct {
	hellos  []*Hello
	ready   []*Ready
	applied []*Applied
	outputs []*Output
	faults  []*Fault
}

// seen is what the gate was told so far.
func (s *scene) seen() notes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return notes{
		slices.Clone(s.hellos), slices.Clone(s.ready), slices.Clone(s.applied),
		slices.Clone(s.outputs), slices.Clone(s.faults),
	}
}

func newScene(t testing.TB, o Options, order *Order) *scene {
	t.Helper()
	o.unhurried = true
	s := &scene{
		t: t, order: order, changed: make(chan struct{}, 1), census: supervise.NewCensus(),
		register: prometheus.NewRegistry(),
	}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	s.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond), // a goroutine lives as long
	)
	topics, err := topic.NewMetrics(s.register, "origin")
	if err != nil {
		t.Fatal(err)
	}
	if o.Metrics, err = NewMetrics(s.register); err != nil {
		t.Fatal(err)
	}
	s.source = s.system.NewLocalPID("root/topic")
	s.actor = s.system.NewLocalPID("root/process")
	o.Key, o.Name, o.Epoch = "live/a", "processed", 1
	o.Source, o.Gate = s.source, s.system.NewLocalPID("root/gate")
	rt := &supervise.Runtime{Census: s.census, Log: log}
	root, err := rt.Start(s.system, supervise.Spec{
		Name: "root", Kind: "root", Strategy: supervise.OneForOne,
		Limit: supervise.Limit{Max: 50, Within: time.Minute},
		Children: []supervise.Spec{
			{Name: "topic", Kind: "topic", Mailbox: 4096, New: topic.New(topic.Options{
				Key: "live/a", Ring: topic.NewRing(topic.DefaultLimits()), Window: &topic.Window{},
				Metrics: topics,
			})},
			{Name: "gate", Kind: "gate", Mailbox: 4096, New: s.gate},
			{Name: "process", Kind: "process", Mailbox: 4096, New: New(o)},
		},
	}, func(err error) { t.Error("spent:", err) })
	if err != nil {
		t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() {
		if err := s.system.Root.StopFuture(root).Wait(); err != nil {
			t.Error("stop:", err)
		}
		if n := s.census.Len(); n != 0 {
			t.Errorf("%d actors are left", n)
		}
	})
	t.Cleanup(s.stop)
	s.until("the first hello", func() bool { return len(s.hellos) > 0 }) // the tree is up
	return s
}

// gate is the actor that notes what the rendition says.
func (s *scene) gate(*supervise.Self) actor.Actor {
	return actor.ReceiveFunc(func(ctx actor.Context) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch msg := ctx.Message().(type) {
		case *Hello:
			s.hellos = append(s.hellos, msg)
			if s.order != nil {
				ctx.Respond(s.order)
			}
		case *Ready:
			s.ready = append(s.ready, msg)
		case *Applied:
			s.applied = append(s.applied, msg)
		case *Output:
			s.outputs = append(s.outputs, msg)
		case *Fault:
			s.faults = append(s.faults, msg)
		}
		select {
		case s.changed <- struct{}{}:
		default:
		}
	})
}

// command gives an order, now and to whoever says hello later.
func (s *scene) command(o Order) {
	s.mu.Lock()
	s.order = &o
	s.mu.Unlock()
	s.system.Root.Send(s.actor, &o)
}

// feed publishes units.
func (s *scene) feed(units ...*Unit) {
	for _, u := range units {
		s.seq++
		v := topic.NewUnit(1, s.seq, u.AccessUnit)
		if u.Role == media.SequenceHeader {
			s.header = v
		}
		v.Header = s.header
		s.system.Root.Send(s.source, v)
	}
}

// until waits for what has to come true.
func (s *scene) until(what string, true func() bool) {
	s.t.Helper()
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		ok := true()
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-s.changed:
		case <-timeout.C:
			s.mu.Lock()
			defer s.mu.Unlock()
			s.t.Fatalf("%s does not come true: %d hellos, %d ready, %d applied, %d outputs, %d faults\n%s",
				what, len(s.hellos), len(s.ready), len(s.applied), len(s.outputs), len(s.faults),
				s.log.b.String())
		}
	}
}

func (s *scene) untilOutputs(n int) {
	s.t.Helper()
	s.until("the outputs", func() bool { return len(s.outputs) >= n })
}

// text is a log that can be searched.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(b)
}

func (s *scene) logged(what string) bool {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return strings.Contains(s.log.b.String(), what)
}
