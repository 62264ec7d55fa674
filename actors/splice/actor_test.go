package splice

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
	"github.com/headwater-live/headwater/codec/timeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The broadcast and what the backup publisher's is called.
const (
	key     = "live/a"
	backup  = "live/a@backup"       // which is no key
	latency = 80 * time.Millisecond // of the link by which the mirror comes
)

// stage is one node in virtual time: two broadcasts with their origins' actors, a pinned edge that
// follows the first, and the splice.
type stage struct {
	t      *testing.T
	system *actor.ActorSystem
	rt     *supervise.Runtime
	root   *actor.PID
	ring   *topic.Ring // the edge's
	reader *topic.Reader
	reg    *prometheus.Registry

	all   []content
	other byte // what tells the backup's pictures apart, 0 where they are the same
	seen  []*topic.Unit
	stall time.Duration // the longest time without a unit
	last  time.Time
}

func (s *stage) pid(name string) *actor.PID { return s.system.NewLocalPID("root/" + name) }

func check[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// perform plays a broadcast of n contents that is published from the first one at the active.
func perform(t *testing.T, seconds int, act func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.DiscardHandler)
		s := &stage{t: t, ring: topic.NewRing(topic.DefaultLimits()), reg: prometheus.NewRegistry()}
		s.reader = topic.NewReader(s.ring, 0)
		s.system = actor.NewActorSystem(
			actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
			actor.WithDeadLetterThrottleInterval(time.Millisecond), // a goroutine lives as long
		)
		s.rt = &supervise.Runtime{Census: supervise.NewCensus(), Log: quiet}
		rng := rand.New(rand.NewPCG(1, 2))
		s.all = encode(rng, nature{gop: 45, bframes: true}, media.Time(seconds)*media.Second)
		s.root = check[*actor.PID](t)(s.rt.Start(s.system, s.node(), func(err error) {
			t.Error("spent:", err)
		}))
		synctest.Wait()
		act(s)
		if err := s.system.Root.StopFuture(s.root).Wait(); err != nil {
			t.Error("stop:", err)
		}
		s.system.Shutdown()
		<-time.After(time.Second)
	})
}

func (s *stage) node() supervise.Spec {
	edgeMetrics := check[*topic.Metrics](s.t)(topic.NewMetrics(s.reg, "edge"))
	gates := check[*gate.Metrics](s.t)(gate.NewMetrics(s.reg))
	origin := check[*topic.Metrics](s.t)(topic.NewMetrics(s.reg, "origin"))
	ingests := check[*ingest.Metrics](s.t)(ingest.NewMetrics(s.reg))
	publisher := func(name, key string, epoch uint64) supervise.Spec {
		return s.broadcast(name, key, epoch, gates, origin, ingests)
	}
	return supervise.Spec{
		Name: "root", Kind: "root", Strategy: supervise.OneForOne, Children: []supervise.Spec{
			{Name: "directory", Kind: "directory", New: directory.New(directory.Options{})},
			{Name: "settings", Kind: "settings", New: settings.New(settings.Options{})},
			{
				Name: "broadcasts", Kind: "broadcasts", Strategy: supervise.OneForOne,
				Children: []supervise.Spec{
					publisher("active", key, 7000), publisher("backup", backup, 9),
				},
			},
			{Name: "edge", Kind: "edge", Mailbox: 4096, New: topic.New(topic.Options{
				Key: key, Ring: s.ring, Window: &topic.Window{}, Metrics: edgeMetrics,
				Patience: new(topic.DefaultPatience()),
			})},
			{Name: "splice", Kind: "splice", Mailbox: 4096, New: New(Options{
				Key: key, Own: backup, Directory: s.pid("directory"), Topic: s.pid("edge"),
			})},
			{Name: "link", Kind: "link", Mailbox: 4096, New: s.link},
			{Name: "relay", Kind: "relay", Mailbox: 4096, New: edge.NewRelay(edge.RelayOptions{
				Key: key, Directory: s.pid("directory"), Topic: s.pid("link"),
			})},
		},
	}
}

// broadcast is what an origin has of a publisher, as in the tree of a node.
func (s *stage) broadcast(name, key string, epoch uint64, gates *gate.Metrics,
	topics *topic.Metrics, ingests *ingest.Metrics,
) supervise.Spec {
	below := func(child string) *actor.PID { return s.pid("broadcasts/" + name + "/" + child) }
	o := topic.Options{
		Key: key, Epoch: epoch, Grace: time.Minute, Ring: topic.NewRing(topic.DefaultLimits()),
		Window: &topic.Window{}, Metrics: topics, Directory: s.pid("directory"), Gate: below("gate"),
	}
	public := topic.Options{
		Key: key, Name: settings.Public, Ring: topic.NewRing(topic.DefaultLimits()),
		Window: &topic.Window{}, Metrics: topics, Owner: below("gate"),
	}
	return supervise.Spec{
		Name: name, Kind: "broadcast", Strategy: supervise.RestForOne, Restart: supervise.Temporary,
		Children: []supervise.Spec{
			{Name: "source", Kind: "topic", Mailbox: 512, New: topic.New(o)},
			{Name: "gate", Kind: "gate", Mailbox: 512, Rebind: true, New: gate.New(gate.Options{
				Key: key, Epoch: epoch, Settings: s.pid("settings"), Source: below("source"),
				Public: below("public"), Metrics: gates,
			})},
			{Name: "public", Kind: "topic", Mailbox: 512, Rebind: true, New: topic.New(public)},
			{Name: "ingest", Kind: "ingest", Rebind: true, New: ingest.New(ingest.Options{
				Key: key, Epoch: epoch, Start: timeline.Start{}, Topic: below("source"), Metrics: ingests,
			})},
		},
	}
}

// cut ends the link: what is on its way is lost.
type cut struct{}

type arrived struct{}

// link brings what the relay gets to the edge and to the splice, some time later.
func (s *stage) link(*supervise.Self) actor.Actor {
	var queue []any
	return actor.ReceiveFunc(func(ctx actor.Context) {
		switch msg := ctx.Message().(type) {
		case *topic.Unit, *topic.Snapshot, *topic.Seal:
			queue = append(queue, msg)
			supervise.After(ctx, latency, &arrived{})
		case *arrived:
			if len(queue) > 0 {
				ctx.Send(s.pid("edge"), queue[0])
				ctx.Send(s.pid("splice"), queue[0])
				queue = queue[1:]
			}
		case *cut:
			queue = nil
		}
	})
}

// publish sends a content to an origin, under timestamps of the connection's own.
func (s *stage) publish(to string, i int, offset uint32) {
	c := &s.all[i]
	typ := map[media.Kind]uint8{
		media.Video: rtmp.TypeVideo, media.Audio: rtmp.TypeAudio, media.Data: rtmp.TypeData,
	}[c.kind]
	sps := byte(1)
	if to == "backup" {
		sps += s.other
	}
	body, tail := c.body(nature{}, i, sps)
	s.system.Root.Send(s.pid("broadcasts/"+to+"/ingest"), &ingest.Packet{
		Message: rtmp.Message{
			Type: typ, Timestamp: offset + uint32(c.dts.Millis()), Body: body, Tail: tail,
		},
		Arrival: c.dts,
	})
}

// play publishes contents to both or one of the origins, in time.
func (s *stage) play(from, to int, active, backup bool) {
	s.t.Helper()
	for i := from; i < to; i++ {
		if i > 0 {
			<-time.After(time.Duration(max(0, s.all[i].dts-s.all[i-1].dts)))
		}
		if active {
			s.publish("active", i, 500)
		}
		if backup {
			s.publish("backup", i, 90_000)
		}
		synctest.Wait()
		s.read()
	}
}

func (s *stage) read() {
	units := s.reader.Next(make([]*topic.Unit, 0, 1024), 1<<30)
	if len(units) == 0 {
		return
	}
	now := time.Now()
	if len(s.seen) > 0 {
		s.stall = max(s.stall, now.Sub(s.last))
	}
	s.last = now
	s.seen = append(s.seen, units...)
}

// joins has the backup publisher begin, as late as he is: with headers and a keyframe.
func (s *stage) joins(i int) int {
	i = keyAt(s.all, i)
	s.publish("backup", 0, 90_000)
	s.publish("backup", 1, 90_000)
	return i
}

func (s *stage) kill(name string) {
	s.system.Root.Send(s.pid("broadcasts/"+name), &supervise.Shutdown{Reason: "a test"})
	s.system.Root.Send(s.pid("link"), &cut{})
	synctest.Wait()
}

// whole expects everything up to a content, once, in order, at times that never fall.
func (s *stage) whole(to int) {
	s.t.Helper()
	next := 0
	var last [media.Kinds]media.Time
	for i, u := range s.seen {
		if i == 2 {
			next = keyAt(s.all, 2) // a viewer begins there, with the headers
		}
		body, _ := s.all[next].body(nature{}, next, 1)
		if s.all[next].kind == media.Data {
			body = flv.StripSetDataFrame(body)
		}
		switch {
		case !bytes.Equal(u.Body, body):
			s.t.Fatalf("unit %d, %v %v, is not content %d", i, u.Kind, u.Role, next)
		case u.DTS < last[u.Kind]:
			s.t.Fatalf("content %d falls from %v to %v", next, last[u.Kind], u.DTS)
		case u.Epoch != 7000:
			s.t.Fatalf("content %d is of epoch %d", next, u.Epoch)
		}
		last[u.Kind] = u.DTS
		next++
	}
	if next != to {
		s.t.Errorf("%d contents of %d came", next, to)
	}
}

func (s *stage) state() State {
	s.t.Helper()
	question := s.system.Root.RequestFuture(s.pid("splice"), &Describe{}, time.Second)
	answer := check[any](s.t)(question.Result())
	return *answer.(*State)
}

// Two publishers, one of whom is late: whichever origin dies, viewers get everything, once, without
// a pause.
func TestEitherIsKilled(t *testing.T) {
	for _, dead := range []string{"active", "backup"} {
		t.Run(dead, func(t *testing.T) {
			perform(t, 30, func(s *stage) {
				n := len(s.all)
				late := s.joins(n / 6)
				s.play(0, late, true, false)
				s.play(late, n/2, true, true)
				if st := s.state(); !st.Aligned || st.Epoch != 7000 {
					t.Fatalf("%+v", st)
				}
				s.kill(dead)
				s.play(n/2, n, dead != "active", dead != "backup")
				<-time.After(latency)
				synctest.Wait()
				s.read()
				s.whole(n)
				if s.stall > 200*time.Millisecond {
					t.Errorf("nothing came for %v", s.stall)
				}
			})
		})
	}
}

// A splice that fails begins anew with what it knew.
func TestSpliceFails(t *testing.T) {
	perform(t, 20, func(s *stage) {
		n := len(s.all)
		late := s.joins(0)
		s.play(late, n/4, true, true)
		s.system.Root.Send(s.pid("splice"), &supervise.Crash{Reason: "a test"})
		s.play(n/4, n/2, true, true)
		if st := s.state(); !st.Aligned {
			t.Fatalf("%+v", st)
		}
		s.kill("active")
		s.play(n/2, n, false, true)
		s.whole(n)
	})
}

// Where the two encoders' pictures are not the same, viewers get the backup's from its next IDR
// picture on, and all of the sound.
func TestOtherPictures(t *testing.T) {
	perform(t, 20, func(s *stage) {
		s.other = 1
		n := len(s.all)
		late := s.joins(n / 8)
		s.play(0, late, true, false)
		s.play(late, n/2, true, true)
		if st := s.state(); st.Aligned || st.TookOver {
			t.Fatalf("%+v", st)
		}
		s.kill("active")
		s.play(n/2, n, false, true)
		if st := s.state(); !st.TookOver {
			t.Fatalf("%+v", st)
		}
		if s.stall > silence+100*time.Millisecond {
			t.Errorf("nothing came for %v", s.stall)
		}
		s.spliced(n)
	})
}

// spliced expects all sound, and all pictures but for those up to the backup's next IDR picture.
func (s *stage) spliced(to int) {
	s.t.Helper()
	next := map[media.Kind]int{}
	sps, leaps := byte(1), 0
	for i, u := range s.seen {
		if i == 2 {
			next[media.Video], next[media.Audio] = keyAt(s.all, 2), keyAt(s.all, 2)
		}
		if u.Kind == media.Data {
			continue
		}
		at := next[u.Kind]
		for s.all[at].kind != u.Kind {
			at++
		}
		if u.Role == media.SequenceHeader && i > 1 {
			sps, leaps = 2, leaps+1
			for at = keyAt(s.all, to/2); ; at++ {
				if body, _ := s.all[at].body(nature{}, at, sps); bytes.Equal(body, s.seen[i+1].Body) {
					break
				}
			}
			next[media.Video] = at
			continue
		}
		if body, _ := s.all[at].body(nature{}, at, sps); !bytes.Equal(u.Body, body) {
			s.t.Fatalf("unit %d, %v %v, is not content %d", i, u.Kind, u.Role, at)
		}
		next[u.Kind] = at + 1
	}
	if leaps != 1 || max(next[media.Video], next[media.Audio]) != to {
		s.t.Errorf("%d other headers, %v of %d contents", leaps, next, to)
	}
}
