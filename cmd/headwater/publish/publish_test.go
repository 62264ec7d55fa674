package publish

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	gortmp "github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/message"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// received is one message that the server got.
type received struct {
	conn int // counted from 1
	kind string
	at   uint32
	body []byte
}

// server is an RTMP server that tells what it gets.
type server struct {
	got    chan received
	refuse int // how many publishers are refused, the first ones

	mu    sync.Mutex
	conns []net.Conn
}

// session takes one connection.
type session struct {
	gortmp.DefaultHandler
	server *server
	number int
}

func (s *session) tell(kind string, at uint32, body []byte) error {
	s.server.got <- received{s.number, kind, at, body}
	return nil
}

func (s *session) OnConnect(_ uint32, cmd *message.NetConnectionConnect) error {
	return s.tell("connect", 0, []byte(cmd.Command.App))
}

func (s *session) OnPublish(_ *gortmp.StreamContext, _ uint32,
	cmd *message.NetStreamPublish,
) error {
	if s.number <= s.server.refuse {
		return errors.New("not now")
	}
	return s.tell("publish", 0, []byte(cmd.PublishingName))
}

func (s *session) OnSetDataFrame(at uint32, data *message.NetStreamSetDataFrame) error {
	return s.tell("data", at, data.Payload)
}

func (s *session) OnAudio(at uint32, r io.Reader) error { return s.media("audio", at, r) }
func (s *session) OnVideo(at uint32, r io.Reader) error { return s.media("video", at, r) }

func (s *session) media(kind string, at uint32, r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return s.tell(kind, at, body)
}

func (s *session) OnDeleteStream(uint32, *message.NetStreamDeleteStream) error {
	return s.tell("delete", 0, nil)
}

// serve starts a server and returns its address.
func (s *server) serve(t *testing.T) string {
	t.Helper()
	s.got = make(chan received, 10_000)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := gortmp.NewServer(&gortmp.ServerConfig{
		OnConnect: func(conn net.Conn) (io.ReadWriteCloser, *gortmp.ConnConfig) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.conns = append(s.conns, conn)
			return conn, &gortmp.ConnConfig{
				Handler: &session{server: s, number: len(s.conns)},
				ControlState: gortmp.StreamControlStateConfig{
					DefaultBandwidthWindowSize: 6 << 20,
				},
			}
		},
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = quiet.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = quiet.Close()
		<-done
	})
	return listener.Addr().String()
}

// cut closes the server's newest connection.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[len(s.conns)-1].Close()
}

func (s *server) next(t *testing.T) received {
	t.Helper()
	select {
	case m := <-s.got:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came in 10 s")
		return received{}
	}
}

// start publishes until the function that it returns is called, which returns Run's error.
func start(t *testing.T, addr string, log io.Writer) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ended := make(chan error, 1)
	go func() {
		logger := slog.New(slog.NewTextHandler(log, nil))
		ended <- Run(ctx, addr, "live", "demo", file(7000), logger)
	}()
	return func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("still runs 10 s after its context ended")
		}
	}
}

func TestPublishesInRealTime(t *testing.T) {
	s := &server{}
	stop := start(t, s.serve(t), io.Discard)
	for _, want := range []received{
		{1, "connect", 0, []byte("live")},
		{1, "publish", 0, []byte("demo")},
		{1, "data", 0, metadata},
		{1, "video", 0, videoHeader},
		{1, "audio", 0, audioHeader},
	} {
		got := s.next(t)
		if got.kind != want.kind || got.at != want.at || !bytes.Equal(got.body, want.body) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	began := time.Now()
	next := map[string]uint32{}
	step := map[string]uint32{"audio": 4, "video": 5}
	var at uint32
	for range 9 * 10 {
		m := s.next(t)
		if m.kind == "video" && (m.at%20 == 0) != bytes.Equal(m.body, keyframe) {
			t.Fatalf("picture at %d is % x", m.at, m.body)
		}
		if at = m.at; at != next[m.kind] {
			t.Fatalf("%s at %d ms, want %d", m.kind, m.at, next[m.kind])
		}
		next[m.kind] += step[m.kind]
	}
	if took := time.Since(began); took < time.Duration(at-20)*time.Millisecond {
		t.Errorf("%d ms of media came in %v", at, took)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for s.next(t).kind != "delete" {
		continue
	}
}

func TestComesBack(t *testing.T) {
	s := &server{refuse: 1}
	var log bytes.Buffer
	stop := start(t, s.serve(t), &log)
	for s.next(t).kind != "video" {
		continue
	}
	s.cut()
	for {
		if m := s.next(t); m.conn == 3 && m.kind == "video" {
			if m.at != 0 {
				t.Fatalf("the new connection begins at %d ms, want 0", m.at)
			}
			break
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(log.String(), "publishing ended"); lines != 2 {
		t.Errorf("%d lines of two losses:\n%s", lines, log.String())
	}
}

func TestStopsWhileNobodyAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	stop := start(t, listener.Addr().String(), io.Discard)
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > negotiateTimeout/2 {
		t.Errorf("took %v", took)
	}
}

func TestRefusesABadFile(t *testing.T) {
	err := Run(t.Context(), "127.0.0.1:1", "live", "demo", []byte("no"), slog.Default())
	if err == nil || !strings.HasPrefix(err.Error(), "publish: file header") {
		t.Fatal(err)
	}
}
