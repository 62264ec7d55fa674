package ingest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// patience is how long a test waits for what has to come.
const patience = 10 * time.Second

// scene is an ingest on a real connection, in a tree with a topic that notes what it gets.
type scene struct {
	t       *testing.T
	client  net.Conn
	ready   chan struct{}
	units   chan any
	gate    sync.Mutex // held, the topic takes nothing
	ended   chan struct{}
	census  *supervise.Census
	metrics *Metrics
	stop    func() // the tree
	move    func(to func(key string) string)
}

func newScene(t *testing.T, idle time.Duration) *scene {
	t.Helper()
	s := &scene{
		t: t, ready: make(chan struct{}), units: make(chan any, 4096),
		ended: make(chan struct{}), census: supervise.NewCensus(),
	}
	var err error
	if s.metrics, err = NewMetrics(prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	s.start(&Conn{Ready: s.ready, Idle: idle})
	return s
}

// connect gives the two ends of a connection over the loopback.
func connect(t *testing.T) (here, there net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if there, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if here, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here, there
}

func newSystem(log *slog.Logger) *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond), // a goroutine lives as long
	)
}

func (s *scene) start(conn *Conn) {
	conn.Conn, s.client = connect(s.t)
	conn.Guard = rtmp.NewGuard(conn.Conn, rtmp.DefaultLimits())
	conn.Guard.Detach()
	log := slog.New(slog.DiscardHandler)
	system := newSystem(log)
	rt := &supervise.Runtime{Census: s.census, Log: log}
	sink := func(*supervise.Self) actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			switch msg := ctx.Message().(type) {
			case *topic.Attach:
				ctx.Watch(msg.Publisher)
				s.units <- msg
			case *topic.Unit:
				s.gate.Lock()
				defer s.gate.Unlock()
				s.units <- msg
			case *actor.Terminated:
				close(s.ended)
			}
		})
	}
	s.move = func(to func(key string) string) {
		system.Root.Send(system.NewLocalPID("root/"+Name), &Move{To: to, Reason: "why"})
	}
	root, err := rt.Start(system, supervise.Spec{
		Name: "root", Kind: "root", Strategy: supervise.OneForOne, Children: []supervise.Spec{
			{Name: "topic", Kind: "topic", New: sink, Mailbox: 100_000},
			{
				Name: Name, Kind: "ingest", Restart: supervise.Temporary, New: New(Options{
					Key: "live/a", Epoch: 4, Topic: system.NewLocalPID("root/topic"), Conn: conn,
					Metrics: s.metrics,
				}),
			},
		},
	}, func(err error) { s.t.Error("spent:", err) })
	if err != nil {
		s.t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() {
		if err := system.Root.StopFuture(root).Wait(); err != nil {
			s.t.Error("stop:", err)
		}
		if n := s.census.Len(); n != 0 {
			s.t.Errorf("%d actors are left", n)
		}
		if got := gauge(s.t, s.metrics.publishers); got != 0 {
			s.t.Errorf("%v publishers are counted in the end", got)
		}
	})
	s.t.Cleanup(s.stop)
	if _, ok := s.next().(*topic.Attach); !ok {
		s.t.Fatal("the topic is not told of its publisher first")
	}
}

// next is the next message to the topic.
func (s *scene) next() any {
	s.t.Helper()
	select {
	case msg := <-s.units:
		return msg
	case <-time.After(patience):
		s.t.Fatal("nothing comes")
		return nil
	}
}

func (s *scene) send(typ uint8, ts uint32, body []byte) {
	s.t.Helper()
	b := rtmp.AppendMessage(nil, 6, typ, ts, 1, body, rtmp.DefaultChunkSize)
	if _, err := s.client.Write(b); err != nil {
		s.t.Fatal(err)
	}
}

// farewell waits for the end of the ingest and of its connection, and returns the last status.
func (s *scene) farewell() (code, description string) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("the ingest does not end")
	}
	_ = s.client.SetReadDeadline(time.Now().Add(patience))
	told := rtmp.AppendSetChunkSize(nil, rtmp.ServerChunkSize) // in the negotiation
	guard := rtmp.NewGuard(io.MultiReader(bytes.NewReader(told), s.client), rtmp.DefaultLimits())
	guard.Detach()
	for {
		msg, err := guard.Next()
		if err == io.EOF {
			return code, description
		}
		if err != nil {
			s.t.Fatalf("the connection ends with %v", err)
		}
		if cmd, err := rtmp.ParseCommand(msg.Body); err == nil && cmd.Name == "onStatus" {
			info := cmd.Arg(1)
			code, description = info.Get("code").String, info.Get("description").String
		}
	}
}

func gauge(t *testing.T, c prometheus.Collector) float64 {
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

func command(name string) []byte {
	return rtmp.AppendCommand(nil, rtmp.Command{
		Name: name, Transaction: 3, Args: []rtmp.Value{{}, rtmp.Num(1)},
	})
}

func TestIngestPasses(t *testing.T) {
	s := newScene(t, patience)
	s.send(rtmp.TypeVideo, 0, record(t, 1)) // before the negotiation has let go
	close(s.ready)
	s.send(rtmp.TypeVideo, 40, picture(true, 0))
	for seq := uint64(1); seq <= 2; seq++ {
		u, ok := s.next().(*topic.Unit)
		if !ok || u.Seq != seq || u.Epoch != 4 || time.Since(time.Unix(0, u.Arrived)) > patience {
			t.Fatalf("unit %d: %+v", seq, u)
		}
	}
	_ = s.client.(*net.TCPConn).CloseWrite()
	if code, why := s.farewell(); !strings.Contains(why, "closed the connection") {
		t.Errorf("the publisher is told %s: %s", code, why)
	}
}

func TestIngestUnpublish(t *testing.T) {
	for _, name := range []string{"FCUnpublish", "deleteStream", "closeStream"} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, patience)
			close(s.ready)
			s.send(rtmp.TypeCommand, 0, command("receiveAudio")) // says nothing to us
			s.send(rtmp.TypeVideo, 0, record(t, 1))
			s.send(rtmp.TypeCommand, 0, command(name))
			if u := s.next().(*topic.Unit); u.Seq != 1 {
				t.Error("what came before the end is lost")
			}
			code, why := s.farewell()
			if code != "NetStream.Unpublish.Success" || why != "the publisher ended the stream" {
				t.Errorf("the publisher is told %s: %s", code, why)
			}
		})
	}
}

func TestIngestIdle(t *testing.T) {
	const idle = 300 * time.Millisecond
	s := newScene(t, idle)
	close(s.ready)
	begun := time.Now()
	s.send(rtmp.TypeVideo, 0, record(t, 1))
	for ticks := uint32(0); time.Since(begun) < 3*idle; ticks++ { // it is not idle
		s.send(rtmp.TypeVideo, 40*ticks, picture(true, 0))
		s.next()
		timer := time.NewTimer(idle / 6)
		select {
		case <-timer.C:
		case <-s.ended:
			t.Fatal("a publisher that sends is taken for silent")
		}
	}
	if _, why := s.farewell(); why != "the publisher sent nothing for 300ms" {
		t.Errorf("the publisher is told %q", why)
	}
}

func TestIngestAnswersPing(t *testing.T) {
	s := newScene(t, patience)
	close(s.ready)
	ping := rtmp.AppendUserControl(nil, rtmp.EventPingRequest, 4711)
	if _, err := s.client.Write(ping); err != nil {
		t.Fatal(err)
	}
	want := string(rtmp.AppendUserControl(nil, rtmp.EventPingResponse, 4711))
	got := make([]byte, len(want))
	_ = s.client.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(s.client, got); err != nil || string(got) != want {
		t.Errorf("the answer is % x, %v; want % x", got, err, want)
	}
}

func TestIngestGarbage(t *testing.T) {
	s := newScene(t, patience)
	close(s.ready)
	for range MaxMalformed + 1 {
		s.send(rtmp.TypeVideo, 0, []byte{0x17, 1})
	}
	if code, why := s.farewell(); code != "NetStream.Publish.Failed" ||
		!strings.Contains(why, ErrGarbage.Error()) {
		t.Errorf("the publisher is told %s: %s", code, why)
	}
	if got := gauge(t, s.metrics.malformed); got != MaxMalformed+1 {
		t.Errorf("%v malformed messages are counted, want %d", got, MaxMalformed+1)
	}
}

func TestIngestBrokenChunk(t *testing.T) {
	s := newScene(t, patience)
	close(s.ready)
	if _, err := s.client.Write([]byte{0xc9, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if code, why := s.farewell(); code != "NetStream.Publish.Failed" ||
		!strings.Contains(why, "chunk") {
		t.Errorf("the publisher is told %s: %s", code, why)
	}
}

// An ingest that is stopped before its negotiation let go of the connection closes it.
func TestIngestStoppedEarly(t *testing.T) {
	s := newScene(t, patience)
	s.stop()
	_ = s.client.SetReadDeadline(time.Now().Add(patience))
	if _, err := s.client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection ends with %v", err)
	}
}

// A publisher who sends faster than the node takes feels it.
func TestReaderWaitsForCredits(t *testing.T) {
	system := newSystem(slog.New(slog.DiscardHandler))
	r := &reader{
		conn:    &Conn{Guard: rtmp.NewGuard(strings.NewReader(""), rtmp.DefaultLimits())},
		credits: make(chan struct{}, inFlight), system: system, self: system.NewLocalPID("nobody"),
	}
	ctx, cancel := context.WithCancel(t.Context())
	for range inFlight {
		if err := r.handle(ctx, message(rtmp.TypeVideo, 0, picture(true, 0))); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() { done <- r.handle(ctx, message(rtmp.TypeVideo, 0, picture(true, 0))) }()
	<-r.credits
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := r.handle(ctx, message(rtmp.TypeVideo, 0, picture(true, 0))); err != context.Canceled {
		t.Errorf("with no credit left: %v", err)
	}
}

// A topic that takes nothing for a while bounds nobody: its own mailbox has a bound and a drop
// rule.
func TestIngestGoesOnWithASlowTopic(t *testing.T) {
	s := newScene(t, patience)
	close(s.ready)
	s.gate.Lock()
	s.send(rtmp.TypeVideo, 0, record(t, 1))
	const count = 10 * inFlight
	for n := range uint32(count) {
		s.send(rtmp.TypeVideo, 40*n, picture(true, 0))
	}
	s.send(rtmp.TypeUserControl, 0, []byte{0, 6, 0, 0, 0, 1}) // answered behind all that
	_ = s.client.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(s.client, make([]byte, 18)); err != nil {
		t.Fatal("the reader waits for the topic:", err)
	}
	s.gate.Unlock()
	for seq := uint64(1); seq <= count+1; seq++ {
		if u := s.next().(*topic.Unit); u.Seq != seq {
			t.Fatalf("unit %d comes, want %d", u.Seq, seq)
		}
	}
}

// A publisher who is asked to go is told where, goes on publishing meanwhile, and is let go.
func TestIngestMoves(t *testing.T) {
	s := newScene(t, patience)
	close(s.ready)
	s.move(func(string) string { return "" }) // nobody takes him: he stays
	s.move(func(key string) string { return "rtmp://b:1935/" + key })
	s.send(rtmp.TypeVideo, 0, record(t, 1))
	s.next()
	told := rtmp.AppendSetChunkSize(nil, rtmp.ServerChunkSize)
	guard := rtmp.NewGuard(io.MultiReader(bytes.NewReader(told), s.client), rtmp.DefaultLimits())
	guard.Detach()
	msg, err := guard.Next()
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := rtmp.ParseCommand(msg.Body)
	if info := cmd.Arg(1); err != nil || cmd.Name != "onStatus" ||
		info.Get("code").String != rtmp.ReconnectRequest || info.Get("tcUrl").String != "rtmp://b:1935/live" ||
		info.Get("description").String != "why; go to rtmp://b:1935/live/a" {
		t.Errorf("he is asked %+v, %v", cmd, err)
	}
	began := time.Now()
	if _, why := s.farewell(); why != "why; go to rtmp://b:1935/live/a" {
		t.Errorf("he is told %q", why)
	}
	if took := time.Since(began); took < moveGrace-time.Second {
		t.Errorf("he is let go after %v", took)
	}
}
