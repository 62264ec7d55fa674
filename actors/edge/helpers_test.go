package edge

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = 10 * time.Second

func newSystem() *actor.ActorSystem {
	log := slog.New(slog.DiscardHandler)
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond), // a goroutine lives as long
	)
}

// connect gives the two ends of a TCP connection.
func connect(t testing.TB) (here, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	out, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	return in.(*net.TCPConn), out.(*net.TCPConn)
}

// encrypt makes a TLS connection of the two ends of another.
func encrypt(t testing.TB, here, there net.Conn) (server, client *tls.Conn) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "here"},
		NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server = tls.Server(here, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS12,
	})
	client = tls.Client(there, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // our own pair
	done := make(chan error)
	go func() { done <- server.Handshake() }()
	if err := errors.Join(client.Handshake(), <-done); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// source is a topic's ring and the machine that fills it.
type source struct {
	t       testing.TB
	ring    *topic.Ring
	machine *topic.Machine
	sent    []*topic.Unit
}

func newSource(t testing.TB) *source {
	ring := topic.NewRing(topic.DefaultLimits())
	return &source{t: t, ring: ring, machine: topic.NewMachine(ring)}
}

// unit makes the next unit: V, A are headers, K a keyframe, f a frame, a audio. Its body is a legal
// one of the given size.
func (s *source) unit(letter byte, size int) *topic.Unit {
	heads := map[byte]string{
		'V': "\x17\x00\x00\x00\x00", 'K': "\x17\x01\x00\x00\x00", 'f': "\x27\x01\x00\x00\x00",
		'A': "\xaf\x00", 'a': "\xaf\x01",
	}
	body, tail := flv.NewBody(max(size, 8))
	seq := s.machine.Seq() + 1
	for i := range body {
		body[i] = byte(uint64(i)*7 + seq)
	}
	copy(body, heads[letter])
	kind := media.Video
	if letter == 'A' || letter == 'a' {
		kind = media.Audio
	}
	au, err := flv.Unit(kind, media.Time(seq)*33*media.Millisecond, body, tail)
	if err != nil {
		s.t.Fatal(err)
	}
	return topic.NewUnit(1, seq, au)
}

// push lets units in, of the given size each.
func (s *source) push(letters string, size int) {
	s.t.Helper()
	for i := range len(letters) {
		u, err := s.machine.Push(s.unit(letters[i], size))
		if err != nil {
			s.t.Fatal(err)
		}
		s.sent = append(s.sent, u)
	}
	s.ring.Publish()
}

// side is one viewer's writer, run as its actor runs it.
type side struct {
	*writer
	t    testing.TB
	done chan struct{}
}

// bounds are a viewer's that has time.
var bounds = Bounds{Wait: patience, Behind: 10 * time.Second, Stall: patience, Skips: 100}

func newMetrics(t testing.TB) *Metrics {
	t.Helper()
	m, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// viewerOn makes the writer of a viewer on conn, in the way that the listeners do.
func viewerOn(t testing.TB, s *source, p Protocol, conn net.Conn, b Bounds) *writer {
	t.Helper()
	ready := make(chan struct{})
	close(ready)
	socket := &Socket{Conn: conn, Protocol: p, Ready: ready, Since: time.Now()}
	if p == RTMP {
		reader := NewPollReader(conn)
		socket.Guard = rtmp.NewGuard(reader, rtmp.ViewerLimits())
		socket.Guard.Detach()
		reader.Poll()
	}
	system := newSystem()
	o := &ViewerOptions{Key: "live/a", Socket: socket, Bounds: b, Metrics: newMetrics(t)}
	group := own.NewGroup(new(own.Counts), func(p *own.Panic) { panic(p) })
	return newWriter(o, s.ring, group, system, system.NewLocalPID("nobody"))
}

// watch runs a viewer.
func watch(t testing.TB, w *writer) *side {
	v := &side{writer: w, t: t, done: make(chan struct{})}
	w.Metrics.joined(w.Socket.Protocol)
	if !w.goroutines.Go("writer", w.run) {
		t.Fatal("the writer does not start")
	}
	go func() {
		defer close(v.done)
		for w.goroutines.Len() > 0 {
			<-time.After(time.Millisecond)
		}
	}()
	t.Cleanup(func() { v.end() })
	return v
}

// end interrupts the viewer as its actor does, and waits for it.
func (v *side) end() {
	v.goroutines.Cancel()
	v.interrupt()
	v.wait()
}

func (v *side) wait() {
	v.t.Helper()
	select {
	case <-v.done:
	case <-time.After(patience):
		v.t.Fatal("the writer does not end")
	}
}

// closedFor is the one reason that was counted.
func (v *side) closedFor() string {
	v.t.Helper()
	pm := v.Metrics.of(v.Socket.Protocol)
	if got := value(v.t, pm.viewers); got != 0 {
		v.t.Errorf("%v viewers are counted in the end", got)
	}
	found := ""
	for r := range reasons {
		if value(v.t, pm.closes[r]) > 0 {
			found += r.String()
		}
	}
	return found
}

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

// expectFLV reads an HTTP response and its units.
func expectFLV(t testing.TB, r io.Reader, units []*topic.Unit) {
	t.Helper()
	prologue := make([]byte, len(HTTPFLV.prologue())-flv.FileHeaderSize)
	if _, err := io.ReadFull(r, prologue); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(prologue, []byte("HTTP/1.1 200 OK\r\n")) ||
		!bytes.HasSuffix(prologue, []byte("\r\n\r\n")) {
		t.Fatalf("the response begins with %q", prologue)
	}
	tags := flv.NewReader(r, 0)
	for i, u := range units {
		tag, err := tags.Next()
		if err != nil {
			t.Fatalf("tag %d: %v", i, err)
		}
		if tag.Kind != u.Kind || tag.Time != u.DTS || !bytes.Equal(tag.Tail, u.Tail) {
			t.Fatalf("tag %d is %v at %v of %d bytes, want %v at %v of %d",
				i, tag.Kind, tag.Time, len(tag.Body), u.Kind, u.DTS, len(u.Body))
		}
	}
}

// expectRTMP reads the units of an RTMP stream.
func expectRTMP(t testing.TB, guard *rtmp.Guard, units []*topic.Unit) {
	t.Helper()
	for i, u := range units {
		msg, err := guard.Next()
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		types := map[media.Kind]uint8{media.Video: rtmp.TypeVideo, media.Audio: rtmp.TypeAudio}
		if msg.Type != types[u.Kind] || int64(msg.Timestamp) != u.DTS.Millis() ||
			!bytes.Equal(msg.Body, u.Body) || msg.StreamID != streamID {
			t.Fatalf("message %d is of type %d at %d of %d bytes, want %v at %v of %d",
				i, msg.Type, msg.Timestamp, len(msg.Body), u.Kind, u.DTS, len(u.Body))
		}
	}
}

// client reads what a server sends.
func client(r io.Reader) *rtmp.Guard {
	guard := rtmp.NewGuard(r, rtmp.DefaultLimits())
	guard.Detach()
	return guard
}
