package topic

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/media"
)

// pool is an edge's topic, as an actor in virtual time.
type pool struct {
	t       *testing.T
	system  *actor.ActorSystem
	topic   *actor.PID
	ring    *Ring
	metrics *Metrics
	reader  *Reader
}

func swim(t *testing.T, act func(p *pool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.DiscardHandler)
		metrics, err := NewMetrics(prometheus.NewRegistry(), "edge")
		if err != nil {
			t.Fatal(err)
		}
		p := &pool{t: t, ring: NewRing(DefaultLimits()), metrics: metrics}
		p.reader = NewReader(p.ring, 0)
		p.system = actor.NewActorSystem(
			actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
		rt := &supervise.Runtime{Census: supervise.NewCensus(), Log: quiet}
		root, err := rt.Start(p.system, supervise.Spec{
			Name: "root", Kind: "root", Strategy: supervise.OneForOne,
			Children: []supervise.Spec{{
				Name: "topic", Kind: "topic", Mailbox: 4096, New: New(Options{
					Key: "live/a", Ring: p.ring, Window: &Window{}, Metrics: metrics,
					Patience: new(DefaultPatience()),
				}),
			}},
		}, func(err error) { t.Error("spent:", err) })
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		p.topic = p.system.NewLocalPID("root/topic")
		act(p)
		if err := p.system.Root.StopFuture(root).Wait(); err != nil {
			t.Error("stop:", err)
		}
		p.system.Shutdown()
		if held := p.metrics.sum(t, p.metrics.waiting); held != 0 {
			t.Errorf("%v bytes are held in the end", held)
		}
	})
}

// sum is what a counter or gauge says.
func (m *Metrics) sum(t *testing.T, c prometheus.Collector) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	v := families[0].GetMetric()[0]
	return v.GetGauge().GetValue() + v.GetCounter().GetValue()
}

func (p *pool) send(units ...*Unit) {
	for _, u := range units {
		p.system.Root.Send(p.topic, u)
	}
	synctest.Wait()
}

// reads expects what has become readable.
func (p *pool) reads(want string) {
	p.t.Helper()
	if got := letters(p.reader.Next(make([]*Unit, 0, 1024), 1<<30)); got != want {
		p.t.Errorf("reads %q, want %q", got, want)
	}
}

func (p *pool) holes(opened, filled, givenUp float64) {
	p.t.Helper()
	for i, want := range []float64{opened, filled, givenUp} {
		if got := p.metrics.sum(p.t, p.metrics.holes[i]); got != want {
			p.t.Errorf("holes of fate %d: %v, want %v", i, got, want)
		}
	}
}

func TestTopicFills(t *testing.T) {
	swim(t, func(p *pool) {
		p.send(parse(t, 1, "V1 A2 K3 f5 a6")...)
		p.reads("V1 A2 K3")
		<-time.After(200 * time.Millisecond)
		p.send(parse(t, 1, "f4")...)
		p.reads("f4 f5 a6")
		p.holes(1, 1, 0)
		<-time.After(200 * time.Millisecond) // the first hole's timer means nothing to the second
		p.send(parse(t, 1, "a8 K9")...)
		if held := p.metrics.sum(t, p.metrics.waiting); held == 0 {
			t.Error("nothing is held")
		}
		<-time.After(299 * time.Millisecond)
		synctest.Wait()
		p.reads("")
		<-time.After(time.Millisecond)
		synctest.Wait()
		p.reads("a8 K9")
		p.holes(2, 1, 1)
		p.system.Root.Send(p.topic, &Snapshot{Units: parse(t, 1, "V1 A2 K12 f13")})
		p.send(parse(t, 1, "f14")...)
		p.reads("")
		p.send(parse(t, 1, "f10 f11")...)
		p.reads("f10 f11 K12 f13 f14")
		p.holes(3, 2, 1)
	})
}

// A seal is not held back, and covers what is.
func TestTopicSealsWhatIsHeld(t *testing.T) {
	swim(t, func(p *pool) {
		p.send(parse(t, 1, "V1 K2 f3 K5 f6")...)
		p.system.Root.Send(p.topic, &Seal{Epoch: 1, Seq: 6})
		synctest.Wait()
		if p.ring.Entry() != nil {
			t.Error("a late joiner begins with what is sealed")
		}
		p.send(parse(t, 1, "f4 K7")...)
		p.reads("V1 K7")
	})
}

// What is held is lost with the actor that held it, and the next one begins with a snapshot.
func TestTopicRestartsWhileItHolds(t *testing.T) {
	swim(t, func(p *pool) {
		p.send(parse(t, 1, "V1 K2 f4 f5")...)
		p.reads("V1 K2")
		p.system.Root.Send(p.topic, &supervise.Crash{Reason: "a test"})
		<-time.After(time.Second)
		synctest.Wait()
		p.reads("")
		p.system.Root.Send(p.topic, &Snapshot{Units: parse(t, 1, "V1 K2 f3 f4 f5 f6")})
		synctest.Wait()
		p.reads("f3 f4 f5 f6")
	})
}

// An origin that was superseded and does not know it may go on for long: an hour of units,
// snapshots and seals of its epoch change nothing, and nothing of it is kept.
func TestStaleOriginGoesOn(t *testing.T) {
	swim(t, func(p *pool) {
		p.send(parse(t, 1, "V1 A2 K3 f4 f6")...) // its last hole is open
		p.send(parse(t, 2, "V1 A2 K3")...)
		p.reads("V1 A2 K3") // a reader begins with the newest
		next := uint64(4)
		for seq := uint64(7); seq < 40_000; seq++ {
			letter := "faaKaafaa"[seq%9]
			stale := unit(1, seq, letter, media.Time(seq)*90*ms)
			p.system.Root.Send(p.topic, stale)
			switch seq % 1000 {
			case 10:
				p.system.Root.Send(p.topic, &Snapshot{Epoch: 1, Units: []*Unit{stale}})
			case 20:
				p.system.Root.Send(p.topic, &Seal{Epoch: 1, Seq: seq})
			case 30:
				<-time.After(90 * time.Second)
				p.send(unit(2, next, 'f', media.Time(next)*10*ms))
				next++
			}
		}
		synctest.Wait()
		units := p.reader.Next(make([]*Unit, 0, 1024), 1<<30)
		for i, u := range units {
			if want := uint64(4 + i); u.Epoch != 2 || u.Seq != want {
				t.Fatalf("epoch %d, unit %d, is read in place of unit %d", u.Epoch, u.Seq, want)
			}
		}
		if len(units) != int(next)-4 {
			t.Errorf("%d units are read, want %d", len(units), next-4)
		}
		if held := p.metrics.sum(t, p.metrics.waiting); held != 0 {
			t.Errorf("%v stale bytes are held", held)
		}
		if e := p.ring.Entry(); e == nil || e.unit.Epoch != 2 {
			t.Error("stale seals cost the place to begin")
		}
	})
}

// In order, and twice as from two upstreams, a unit costs no allocation more than without a merge.
func TestMergeInOrderCostsNothing(t *testing.T) {
	s := newStream()
	g := &merge{patience: DefaultPatience(), machine: s.machine}
	s.prepare(5000)
	s.push(s.header)
	g.begun = 1
	next := 0
	allocations := testing.AllocsPerRun(4000, func() {
		u := s.units[next]
		next++
		for range 2 {
			if !g.idle(u) {
				t.Fatalf("unit %d is the merge's business", u.Seq)
			}
			_, _ = s.machine.Push(u)
		}
	})
	if allocations > 0.05 { // an Entry for each keyframe
		t.Errorf("a unit costs %.3f allocations", allocations)
	}
	if g.held != nil {
		t.Error("units are held")
	}
}

func BenchmarkMerge(b *testing.B) {
	for _, upstreams := range []int{0, 1, 2} {
		name := []string{"none", "one upstream", "two upstreams"}[upstreams]
		b.Run(name, func(b *testing.B) {
			s := newStream()
			g := &merge{patience: DefaultPatience(), machine: s.machine}
			s.push(s.header)
			g.begun = 1
			const block = 512
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%block == 0 {
					b.StopTimer()
					s.prepare(block)
					b.StartTimer()
				}
				u := s.units[i%block]
				if upstreams == 0 || g.idle(u) {
					_, _ = s.machine.Push(u)
				}
				if upstreams == 2 && g.idle(u) {
					_, _ = s.machine.Push(u)
				}
			}
		})
	}
}
