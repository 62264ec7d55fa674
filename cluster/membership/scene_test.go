package membership

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/own"
)

func quiet() *slog.Logger {
	if os.Getenv("HEADWATER_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

// freeAddress is one that nobody listens on, a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scene is an etcd that can be stopped and started again.
type scene struct {
	t       *testing.T
	options ServerOptions
	server  *Server
}

func newScene(t *testing.T) *scene {
	s := &scene{t: t, options: ServerOptions{
		Dir:    filepath.Join(t.TempDir(), "etcd"),
		Listen: freeAddress(t), Peer: freeAddress(t), Log: quiet(),
	}}
	t.Cleanup(s.stop)
	return s
}

func (s *scene) start() {
	s.t.Helper()
	server, err := StartServer(s.t.Context(), s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = server
}

func (s *scene) stop() {
	if s.server != nil {
		s.server.Close()
		s.server = nil
	}
}

func newMetrics(t *testing.T) *Metrics {
	t.Helper()
	m, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s *scene) client() *Client {
	s.t.Helper()
	return s.clientBy(ClientOptions{Endpoints: []string{"http://" + s.options.Listen}})
}

func (s *scene) clientBy(o ClientOptions) *Client {
	s.t.Helper()
	o.Log, o.Metrics = quiet(), newMetrics(s.t)
	c, err := NewClient(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *scene) group() *own.Group {
	g := own.NewGroup(&own.Counts{}, func(p *own.Panic) { s.t.Errorf("%v\n%s", p, p.Stack) })
	s.t.Cleanup(func() {
		if left := g.Stop(5 * time.Second); left != 0 {
			s.t.Errorf("%d goroutines left", left)
		}
	})
	return g
}

// value is what etcd has of a key, or "" for nothing.
func (s *scene) value(c *Client, key string) string {
	resp, err := c.Get(context.Background(), Load, key)
	switch {
	case err != nil:
		return "error: " + err.Error()
	case len(resp.Kvs) == 0:
		return ""
	}
	return string(resp.Kvs[0].Value)
}

// eventually waits for something to become so.
func eventually(t *testing.T, what string, within time.Duration, so func() bool) {
	t.Helper()
	for begin := time.Now(); !so(); <-time.After(10 * time.Millisecond) {
		if time.Since(begin) > within {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

func TestServerRestartsOnItsData(t *testing.T) {
	s := newScene(t)
	s.start()
	c := s.client()
	if _, err := c.etcd.Put(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	s.stop()
	t.Logf("stopped in %v", time.Since(begin))
	begin = time.Now()
	s.start()
	t.Logf("started in %v", time.Since(begin))
	eventually(t, "the value is there", 5*time.Second, func() bool { return s.value(c, "k") == "v" })
}

func TestServerSaysThatItsPortIsTaken(t *testing.T) {
	s := newScene(t)
	l, err := net.Listen("tcp", s.options.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = StartServer(t.Context(), s.options)
	if err == nil || !strings.Contains(err.Error(), s.options.Listen+" is not free") {
		t.Errorf("%v", err)
	}
}
