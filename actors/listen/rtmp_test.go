package listen

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/rtmp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = 10 * time.Second

// scene is an RTMP listener in a tree, and a desk that notes who comes.
type scene struct {
	t       *testing.T
	options RTMPOptions
	system  *actor.ActorSystem
	census  *supervise.Census
	stop    func()

	mu     sync.Mutex
	came   []string
	refuse error
	conns  []net.Conn // that the desk took
	taken  chan any   // *ingest.Conn, *edge.Socket
}

func newScene(t *testing.T, change func(*RTMPOptions)) *scene {
	t.Helper()
	socket, err := Listen(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, census: supervise.NewCensus(), taken: make(chan any, 1000)}
	s.options = RTMPOptions{
		Socket: socket, Desk: &Desk{Publish: s.publish, Play: s.play}, Limits: rtmp.DefaultLimits(),
		Handshake: patience, Idle: patience, SendBuffer: 1 << 16, Caps: &Caps{}, Metrics: metrics,
	}
	if change != nil {
		change(&s.options)
	}
	log := slog.New(slog.DiscardHandler)
	s.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	rt := &supervise.Runtime{Census: s.census, Log: log}
	root, err := rt.Start(s.system, supervise.Spec{
		Name: "root", Kind: "root", Strategy: supervise.OneForOne, Children: []supervise.Spec{
			{Name: "rtmp", Kind: "listener", New: NewRTMP(s.options)},
		},
	}, func(err error) { t.Error("spent:", err) })
	if err != nil {
		t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() {
		if err := s.system.Root.StopFuture(root).Wait(); err != nil {
			t.Error("stop:", err)
		}
		for _, k := range s.census.Kinds() {
			if n := k.Goroutines.Running.Load(); n != 0 {
				t.Errorf("%d goroutines of kind %s are left", n, k.Name)
			}
		}
		for _, c := range s.conns {
			_ = c.Close()
		}
		if c := s.options.Caps; c.total != 0 || c.young != 0 {
			t.Errorf("in the end %d connections are counted, %d of them young", c.total, c.young)
		}
	})
	t.Cleanup(s.stop)
	return s
}

func (s *scene) note(word string, conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.came = append(s.came, word)
	if s.refuse != nil {
		return s.refuse
	}
	s.conns = append(s.conns, conn)
	return nil
}

func (s *scene) publish(_ context.Context, key string, conn *ingest.Conn) error {
	err := s.note("publish "+key, conn)
	if err == nil {
		s.taken <- conn
	}
	return err
}

func (s *scene) play(_ context.Context, key string, socket *edge.Socket) error {
	err := s.note("play "+key, socket.Conn)
	if err == nil {
		s.taken <- socket
	}
	return err
}

// next is who came next.
func (s *scene) next() any {
	s.t.Helper()
	select {
	case v := <-s.taken:
		return v
	case <-time.After(patience):
		s.t.Fatal("nobody comes")
		return nil
	}
}

func (s *scene) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.options.Socket.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// client is connected to an application.
func (s *scene) client(app string) (*rtmp.Client, net.Conn) {
	s.t.Helper()
	conn := s.dial()
	c := rtmp.NewClient(conn)
	if err := errors.Join(c.Handshake(), c.Connect(app, "rtmp://here/"+app)); err != nil {
		s.t.Fatal(err)
	}
	return c, conn
}

func TestPublish(t *testing.T) {
	s := newScene(t, nil)
	c, _ := s.client("live")
	if err := c.Publish("a?token=1"); err != nil {
		t.Fatal(err)
	}
	conn := s.next().(*ingest.Conn)
	if got := strings.Join(s.came, ", "); got != "publish live/a" || conn.Idle != patience ||
		conn.Role != ingest.Active {
		t.Fatalf("came %s, idle %v, %v", got, conn.Idle, conn.Role)
	}
	<-conn.Ready
	for i := range uint32(50) {
		body := []byte{0x17, 1, 0, 0, 0, byte(i)}
		if err := c.WriteMessage(rtmp.TypeVideo, i*40, body); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		msg, err := conn.Guard.Next()
		if err != nil || msg.Timestamp != i*40 || string(msg.Body) != string(body) {
			t.Fatalf("message %d: %+v, %v", i, msg, err)
		}
	}
	s.stop() // the publisher's connection is not the listener's any more
	if err := c.WriteMessage(rtmp.TypeVideo, 0, []byte{0x17, 1, 0, 0, 0}); err != nil {
		t.Error(err)
	}
}

func TestPublishAsBackup(t *testing.T) {
	s := newScene(t, nil)
	c, _ := s.client("live")
	if err := c.Publish("a?token=1&role=backup"); err != nil {
		t.Fatal(err)
	}
	conn := s.next().(*ingest.Conn)
	if got := strings.Join(s.came, ", "); got != "publish live/a" || conn.Role != ingest.Backup {
		t.Errorf("came %s, %v", got, conn.Role)
	}
}

// What a publisher sends on the heels of his publish command, in the same write, is not lost to the
// library's buffer.
func TestPublishInOneBreath(t *testing.T) {
	s := newScene(t, nil)
	script := negotiation(t, s, false)
	for i := range uint32(200) {
		script = rtmp.AppendMessage(script, rtmp.ChunkAudio, rtmp.TypeAudio, i, 1, make([]byte, 1+i*7),
			rtmp.MaxChunkSize)
	}
	if _, err := s.dial().Write(script); err != nil {
		t.Fatal(err)
	}
	taken := s.next().(*ingest.Conn)
	<-taken.Ready
	for i := range uint32(200) {
		if msg, err := taken.Guard.Next(); err != nil || len(msg.Body) != int(1+i*7) {
			t.Fatalf("message %d has %d bytes, %v", i, len(msg.Body), err)
		}
	}
}

func TestPlay(t *testing.T) {
	s := newScene(t, nil)
	c, conn := s.client("live/eu")
	if err := c.Play("a"); err != nil {
		t.Fatal(err)
	}
	socket := s.next().(*edge.Socket)
	if got := strings.Join(s.came, ", "); got != "play live/eu/a" ||
		socket.Protocol != edge.RTMP || socket.SendBuffer != 1<<16 ||
		time.Since(socket.Since) > patience {
		t.Fatalf("came %s, %+v", got, socket)
	}
	<-socket.Ready
	if _, err := socket.Guard.Next(); err != nil && !errors.Is(err, edge.ErrWouldBlock) {
		t.Fatalf("a viewer who says nothing: %v", err) // SetBufferLength is no message to us
	}
	_ = conn.Close()
	for {
		_, err := socket.Guard.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, edge.ErrWouldBlock) {
			t.Fatalf("a viewer who leaves: %v", err)
		}
	}
}

func TestRefusals(t *testing.T) {
	full := errors.New("the node is full")
	for name, c := range map[string]struct {
		app, key string
		play     bool
		refuse   error
		code     string
		says     string
	}{
		"publish, no key":  {"live", "", false, nil, "NetStream.Publish.BadName", "want app/name"},
		"publish, bad key": {"live", "a b", false, nil, "NetStream.Publish.BadName", "want letters"},
		"publish, no role": {"live", "a?role=x", false, nil, "NetStream.Publish.BadName", "not a role"},
		"publish, refused": {"live", "a", false, full, "NetStream.Publish.BadName", full.Error()},
		"play, no app":     {"", "a", true, nil, "NetStream.Play.StreamNotFound", "want app/name"},
		"play, refused":    {"live", "a", true, full, "NetStream.Play.StreamNotFound", full.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, nil)
			s.refuse = c.refuse
			client, conn := s.client(c.app)
			ask := client.Publish
			if c.play {
				ask = client.Play
			}
			var status *rtmp.StatusError
			err := ask(c.key)
			if !errors.As(err, &status) || status.Code != c.code ||
				!strings.Contains(status.Description, c.says) {
				t.Fatalf("the client is told %v", err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
				t.Errorf("the connection is not closed: %v", err)
			}
			wait(t, "the refusal is not counted", func() bool {
				return value(t, s.options.Metrics.failed) == 1
			})
			if value(t, s.options.Metrics.negotiated) != 0 {
				t.Error("the refusal counts as granted")
			}
		})
	}
}

// isEnd says that the other side closed a connection.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err)
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

func value(t *testing.T, c prometheus.Collector) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

// A second stream on a connection disturbs nothing of the first, and goes to nobody.
func TestSecondStream(t *testing.T) {
	s := newScene(t, nil)
	c, conn := s.client("live")
	if err := c.Publish("a"); err != nil {
		t.Fatal(err)
	}
	taken := s.next().(*ingest.Conn)
	<-taken.Ready
	again := rtmp.AppendCommand(nil, rtmp.Command{
		Name: "publish", Transaction: 9, Args: []rtmp.Value{{}, rtmp.Str("b"), rtmp.Str("live")},
	})
	raw := rtmp.AppendMessage(nil, rtmp.ChunkCommand, rtmp.TypeCommand, 0, 2, again, rtmp.MaxChunkSize)
	if _, err := conn.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteMessage(rtmp.TypeVideo, 5, []byte{0x17, 1, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []uint8{rtmp.TypeCommand, rtmp.TypeVideo} {
		if msg, err := taken.Guard.Next(); err != nil || msg.Type != want {
			t.Fatalf("message of type %d, %v; want %d", msg.Type, err, want)
		}
	}
	if len(s.came) != 1 {
		t.Errorf("came %v", s.came)
	}
}

func TestHandshakeTimeout(t *testing.T) {
	s := newScene(t, func(o *RTMPOptions) { o.Handshake = 100 * time.Millisecond })
	begun := time.Now()
	for name, first := range map[string]string{
		"silent": "", "half a handshake": "\x03" + strings.Repeat("x", 700),
	} {
		conn := s.dial()
		_, _ = conn.Write([]byte(first))
		if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("two connections are closed after %v", took)
	}
}

func TestConnectionCaps(t *testing.T) {
	s := newScene(t, func(o *RTMPOptions) { o.Caps = &Caps{Total: 3, Negotiating: 2} })
	young := []net.Conn{s.dial(), s.dial()}
	wait(t, "two are not negotiated", func() bool {
		s.options.Caps.mu.Lock()
		defer s.options.Caps.mu.Unlock()
		return s.options.Caps.young == 2
	})
	if n, err := s.dial().Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a third negotiation: read %d, %v", n, err)
	}
	_, _ = young[0].Close(), young[1].Close()
	wait(t, "room is not made", func() bool {
		s.options.Caps.mu.Lock()
		defer s.options.Caps.mu.Unlock()
		return s.options.Caps.total == 0
	})
	for range 3 {
		c, _ := s.client("live")
		if err := c.Play("a"); err != nil {
			t.Fatal(err)
		}
		socket := s.next().(*edge.Socket)
		<-socket.Ready
	}
	if n, err := s.dial().Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a fourth connection: read %d, %v", n, err)
	}
	if got := value(t, s.options.Metrics.refused); got != 2 {
		t.Errorf("%v refusals are counted, want 2", got)
	}
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-ticker.C:
		case <-late:
			t.Fatal(what)
		}
	}
}
