package loudness

import (
	"bytes"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// patience is how long a test waits for what has to come.
const patience = 10 * time.Second

// scene is the actor beside a real topic and a gate that notes what it gets.
type scene struct {
	*stream
	system  *actor.ActorSystem
	census  *supervise.Census
	metrics *Metrics
	log     *logged
	events  chan *Event
	opened  int
}

// logged collects log lines.
type logged struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logged) count(msg string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.lines.String(), msg)
}

func (s *scene) pid(name string) *actor.PID { return s.system.NewLocalPID("root/" + name) }

// act plays a scene and expects that nothing is left of it.
func act(t *testing.T, o Options, play func(s *scene)) {
	t.Helper()
	s := &scene{
		stream: &stream{t: t}, census: supervise.NewCensus(), log: &logged{},
		events: make(chan *Event, 4096),
	}
	quiet := slog.New(slog.DiscardHandler)
	s.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond), // a goroutine lives as long
	)
	reg := prometheus.NewRegistry()
	var err error
	if s.metrics, err = NewMetrics(reg); err != nil {
		t.Fatal(err)
	}
	o.Key, o.Epoch, o.Metrics = "live/a", 1, s.metrics
	o.Source, o.Gate = s.pid("topic/source"), s.pid("gate")
	if o.open == nil {
		o.open = openScript(&s.opened)
	}
	rt := &supervise.Runtime{
		Census: s.census, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	root, err := rt.Start(s.system, s.tree(reg, o), func(err error) { t.Error("spent:", err) })
	if err != nil {
		t.Fatal(err)
	}
	s.up()
	play(s)
	if err := s.system.Root.StopFuture(root).Wait(); err != nil {
		t.Error("stop:", err)
	}
	s.over()
}

func (s *scene) tree(reg prometheus.Registerer, o Options) supervise.Spec {
	counts, err := topic.NewMetrics(reg, "origin")
	if err != nil {
		s.t.Fatal(err)
	}
	gate := func(*supervise.Self) actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if e, ok := ctx.Message().(*Event); ok {
				s.events <- e
			}
		})
	}
	return supervise.Spec{
		Name: "root", Kind: "root", Strategy: supervise.RestForOne, Children: []supervise.Spec{
			{Name: "topic/source", Kind: "topic", Mailbox: 4096, New: topic.New(topic.Options{
				Key: "live/a", Epoch: 1, Ring: topic.NewRing(topic.DefaultLimits()),
				Window: &topic.Window{}, Metrics: counts,
			})},
			{Name: "gate", Kind: "gate", New: gate, Mailbox: 4096, Rebind: true},
			{Name: Name, Kind: Name, New: New(o), Mailbox: 4096, Rebind: true},
		},
	}
}

func (s *scene) over() {
	s.t.Helper()
	if n := s.census.Len(); n != 0 {
		s.t.Errorf("%d actors are left", n)
	}
	for _, k := range s.census.Kinds() {
		if n := k.Goroutines.Running.Load(); n != 0 {
			s.t.Errorf("%d goroutines of kind %s are left", n, k.Name)
		}
	}
	if s.opened != 0 {
		s.t.Errorf("%d decoders are open in the end", s.opened)
	}
	if n := value(s.t, s.metrics.silent); n != 0 {
		s.t.Errorf("%v broadcasts are silent in the end", n)
	}
}

// value is that of a counter or gauge.
func value(t testing.TB, c prometheus.Collector) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	m := families[0].GetMetric()[0]
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}

func (s *scene) push(units ...*topic.Unit) {
	for _, u := range units {
		s.system.Root.Send(s.pid("topic/source"), u)
	}
}

func (s *scene) play(letters string) {
	for i := range len(letters) {
		s.push(s.frame(letters[i]))
	}
}

// up waits until the actor, the last of the tree, has started, before which it has no mailbox to
// write to, and has subscribed, which it does before it answers.
func (s *scene) up() {
	s.t.Helper()
	for deadline := time.Now().Add(patience); len(s.census.PIDs(Name)) == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			s.t.Fatal("the tree does not start")
		}
	}
	s.until("up", func(*Report) bool { return true })
}

// until waits until the report is as it should be.
func (s *scene) until(what string, is func(r *Report) bool) *Report {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		answer, err := s.system.Root.RequestFuture(s.pid(Name), &Describe{}, patience).Result()
		r, ok := answer.(*Report)
		switch {
		case !ok || err != nil:
			s.t.Fatal(answer, err)
		case is(r):
			return r
		case time.Now().After(deadline):
			s.t.Fatalf("not %s: %+v", what, r)
		}
	}
}

func (s *scene) measured(frames uint64) *Report {
	s.t.Helper()
	return s.until("measured", func(r *Report) bool { return r.Frames+r.Dropped >= frames })
}

func TestActorMeasures(t *testing.T) {
	act(t, Options{}, func(s *scene) {
		s.push(s.setup("c\x30"))
		for range 10 { // less at once than the queue holds
			s.play(strings.Repeat("t", 47))
			s.until("read", func(r *Report) bool { return r.At >= s.dts-interval })
		}
		r := s.measured(470)
		near(t, "integrated", r.Integrated, -20, 0.05)
		if r.Key != "live/a" || r.Epoch != 1 || r.Dropped != 0 || r.Unavailable != "" {
			t.Errorf("%+v", r)
		}
		var last *Event
		for range 47 {
			select {
			case last = <-s.events:
			case <-time.After(patience):
				t.Fatal("no event comes")
			}
		}
		near(t, "momentary", fields(t, last)["momentary"], -20, 0.05)
		if got := value(t, s.metrics.frames); got != 470 {
			t.Errorf("%v frames are counted", got)
		}
	})
}

// Silence and clipping are counted and logged, clipping and bad frames at most once a minute.
func TestActorLogsAndCounts(t *testing.T) {
	act(t, Options{}, func(s *scene) {
		s.push(s.setup("c\x30"))
		s.play("t" + strings.Repeat("s", 150) + "x")
		r := s.measured(152)
		if r.Silences != 1 || r.Clippings != 1 || r.Silent || !r.Clipping {
			t.Errorf("%+v", r)
		}
		s.play(strings.Repeat("s", 150))
		if r = s.measured(302); !r.Silent {
			t.Errorf("%+v", r)
		}
		if got := value(t, s.metrics.silent); got != 1 {
			t.Errorf("%v are silent", got)
		}
		s.play("ex")
		if r = s.measured(303); r.Errors != 1 || r.Clippings != 2 {
			t.Errorf("%+v", r)
		}
		for msg, want := range map[string]int{
			"audio is silent": 2, "audio is audible again": 2, "audio clips": 1,
			"frame of audio is not measured": 1, "broadcast=live/a": 6,
		} {
			if got := s.log.count(msg); got != want {
				t.Errorf("%q is logged %d times, want %d:\n%s", msg, got, want, s.log.lines.String())
			}
		}
		if got := value(t, s.metrics.silences) + 10*value(t, s.metrics.clippings) +
			100*value(t, s.metrics.errors); got != 122 {
			t.Errorf("counted %v", got)
		}
		s.play(strings.Repeat("s", 150)) // silent to the end: see over
		s.measured(453)
	})
}

// A codec that is not decoded is told once, however many units there are.
func TestActorUnavailable(t *testing.T) {
	act(t, Options{}, func(s *scene) {
		s.push(s.unit("\x90OpusOpusHead"))
		for range 20 {
			s.push(s.unit("\x91Opusframe"))
		}
		s.until("unavailable", func(r *Report) bool { return r.Unavailable == notDecoded+"Opus" })
		s.push(s.setup("c\x30"))
		s.play("t")
		s.until("available", func(r *Report) bool { return r.Unavailable == "" })
		if n := s.log.count("audio is not measured"); n != 1 {
			t.Errorf("said %d times:\n%s", n, s.log.lines.String())
		}
		if s.log.count("audio is measured again") != 1 || value(t, s.metrics.errors) != 0 {
			t.Error(s.log.lines.String())
		}
	})
}

// A topic that is restarted is subscribed to again: what came in between is in the snapshot, whose
// beginning is not measured twice.
func TestActorRebinds(t *testing.T) {
	act(t, Options{}, func(s *scene) {
		s.push(videoHeader(s), s.setup("c\x30"), videoKeyframe(s))
		s.play(strings.Repeat("t", 100))
		s.measured(100)
		s.system.Root.Send(s.pid("topic/source"), &supervise.Crash{Reason: "test"})
		s.play(strings.Repeat("t", 100))
		if r := s.measured(200); r.Frames != 200 || r.Since != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// A panic of the worker fails the actor, which comes back without what it failed on.
func TestActorRestarts(t *testing.T) {
	act(t, Options{}, func(s *scene) {
		s.push(videoHeader(s), s.setup("c\x30"), videoKeyframe(s))
		s.play(strings.Repeat("s", 150))
		s.measured(150)
		s.play("p") // stays in the snapshot, behind its keyframe
		s.until("restarted", func(r *Report) bool { return r.Since == 0 && r.Frames < 150 })
		if n := value(t, s.metrics.silent); n != 0 {
			t.Errorf("%v broadcasts are silent after the restart", n)
		}
		s.play(strings.Repeat("t", 100))
		r := s.until("measured", func(r *Report) bool { return r.Frames == 100 })
		if r.Since < 150*interval || r.Errors != 0 {
			t.Errorf("%+v", r)
		}
		if n := s.log.count("owned goroutine panicked"); n != 1 {
			t.Errorf("%d panics:\n%s", n, s.log.lines.String())
		}
	})
}

func videoHeader(s *scene) *topic.Unit {
	return s.video("\x17\x00\x00\x00\x00record", media.SequenceHeader)
}

func videoKeyframe(s *scene) *topic.Unit {
	return s.video("\x17\x01\x00\x00\x00picture", media.Keyframe)
}

// video makes a unit of video, which the actor has no use for.
func (s *scene) video(body string, role media.Role) *topic.Unit {
	s.seq++
	return topic.NewUnit(1, s.seq, media.AccessUnit{
		Kind: media.Video, Codec: media.AVC, Role: role, DTS: s.dts,
		Body: []byte(body), Tail: []byte(body),
	})
}

// A worker that is stuck costs the oldest frames and nobody else's time; the actor answers.
func TestActorFallsBehind(t *testing.T) {
	gate := make(chan struct{})
	var opened int
	open := openScript(&opened)
	o := Options{open: func(config []byte) (decoder, error) {
		<-gate
		return open(config)
	}}
	act(t, o, func(s *scene) {
		s.push(s.setup("c\x30"))
		s.play(strings.Repeat("t", queueLength+200))
		r := s.until("behind", func(r *Report) bool { return r.Dropped >= 199 })
		if r.Frames != 0 || value(t, s.metrics.dropped) != float64(r.Dropped) {
			t.Errorf("%+v", r)
		}
		close(gate)
		r = s.measured(queueLength + 200)
		if r.Dropped > 201 || r.Unavailable != "" {
			t.Errorf("%+v", r)
		}
	})
}

// The whole way of speech: topic, actor, queue, decoder, meter, gate.
func TestActorHearsSpeech(t *testing.T) {
	path := record(t, recordings()["speech"])
	units := load(t, path)
	integrated, _ := ebur128(t, path)
	act(t, Options{open: openAAC}, func(s *scene) {
		for len(units) > 0 { // less at once than the queue holds
			n := min(100, len(units))
			s.push(units[:n]...)
			last := units[n-1].DTS
			s.until("read", func(r *Report) bool { return r.At == last })
			units = units[n:]
		}
		r := s.until("told of all", func(*Report) bool { return len(s.events) >= 40 })
		near(t, "integrated loudness", r.Integrated, integrated, 0.1)
		if r.Dropped != 0 || r.Errors != 0 {
			t.Errorf("%+v", r)
		}
	})
}
