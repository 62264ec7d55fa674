package listen

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/supervise"
)

// httpScene is an HTTP listener that serves HTTP-FLV, in a tree.
func httpScene(t *testing.T, caps *Caps, play func(string, *edge.Socket) error) (
	address string, crash func(),
) {
	t.Helper()
	socket, err := Listen(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	desk := &Desk{Play: func(_ context.Context, key string, s *edge.Socket) error {
		return play(key, s)
	}}
	log := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return log }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	rt := &supervise.Runtime{Census: supervise.NewCensus(), Log: log}
	root, err := rt.Start(system, supervise.Spec{
		Name: "root", Kind: "root", Strategy: supervise.OneForOne, Children: []supervise.Spec{
			{Name: "http", Kind: "listener", New: NewHTTP(HTTPOptions{
				Socket: socket, Handler: FLV(FLVOptions{Desk: desk, SendBuffer: 7, Caps: caps}),
			})},
		},
	}, func(err error) { t.Error("spent:", err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Root.StopFuture(root).Wait(); err != nil {
			t.Error("stop:", err)
		}
		if caps.total != 0 {
			t.Errorf("in the end %d connections are counted", caps.total)
		}
	})
	return socket.Addr().String(), func() {
		system.Root.Send(system.NewLocalPID("root/http"), &supervise.Crash{Reason: "drill"})
	}
}

// request sends one on a connection of its own and reads the answer's head.
func request(t *testing.T, address, method, path string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, method+" "+path+" HTTP/1.1\r\nHost: here\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response
}

func TestFLV(t *testing.T) {
	full := errors.New("the node is full")
	caps := &Caps{Total: 2, Negotiating: 1}
	_, settled, err := caps.enterYoung("10.0.0.1:1") // negotiations are none of HTTP's business
	if err != nil {
		t.Fatal(err)
	}
	defer settled()
	keys := make(chan string, 10)
	address, _ := httpScene(t, caps, func(key string, s *edge.Socket) error {
		keys <- key
		<-s.Ready
		switch key {
		case "live/refused":
			return full
		case "live/late": // its viewer has started after all
			s.Own()
			_, _ = s.Conn.Write(edge.Refusal(http.StatusTeapot, "mine"))
			_ = s.Conn.Close()
			return full
		}
		_, _ = io.WriteString(s.Conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nFLV")
		return s.Conn.Close()
	})
	for _, c := range []struct {
		method, path string
		status       int
		body, key    string
	}{
		{"GET", "/live/a.flv", 200, "FLV", "live/a"},
		{"GET", "/live/eu/a.flv?token=x", 200, "FLV", "live/eu/a"},
		{"GET", "/live/refused.flv", 503, full.Error() + "\n", "live/refused"},
		{"GET", "/live/late.flv", 418, "mine\n", "live/late"},
		{"GET", "/live/.flv", 400, "not a broadcast key: want app/name, for example live/KEY\n", ""},
		{"GET", "/a.flv", 400, "not a broadcast key: want app/name, for example live/KEY\n", ""},
		{"GET", "/live/%2e%2e.flv", 400, "", ""},
		{"POST", "/live/a.flv", 405, "only GET\n", ""},
		{"OPTIONS", "/live/a.flv", 204, "", ""},
	} {
		response := request(t, address, c.method, c.path)
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != c.status || c.body != "" && string(body) != c.body {
			t.Errorf("%s %s: %d %q, %v", c.method, c.path, response.StatusCode, body, err)
		}
		if c.key == "" && response.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: a page of another origin does not see the answer", c.method, c.path)
		}
		if c.key != "" {
			if key := <-keys; key != c.key {
				t.Errorf("%s plays %s", c.path, key)
			}
		}
		// A body of known length is read to its end a moment before its connection is let go.
		wait(t, c.path+" stays counted", func() bool {
			caps.mu.Lock()
			defer caps.mu.Unlock()
			return caps.total == 1
		})
	}
	leave, err := caps.Enter("10.0.0.2:1")
	if err != nil {
		t.Fatal(err)
	}
	if got := request(t, address, "GET", "/live/a.flv"); got.StatusCode != 503 {
		t.Errorf("beyond the bound on connections it answers %d", got.StatusCode)
	}
	leave()
	caps.leave("10.0.0.1")
}

// A viewer keeps its connection when the listener that took it fails, and another takes the next.
func TestHTTPListenerRestarts(t *testing.T) {
	caps := &Caps{}
	sockets := make(chan *edge.Socket, 10)
	address, crash := httpScene(t, caps, func(_ string, s *edge.Socket) error {
		sockets <- s
		_, err := io.WriteString(s.Conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
		return err
	})
	first := request(t, address, "GET", "/live/a.flv")
	socket := <-sockets
	for range 2 {
		crash()
		wait(t, "the listener does not come back", func() bool {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return false
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, _ = io.WriteString(conn, "GET /live/b.flv HTTP/1.1\r\nHost: here\r\n\r\n")
			_, err = http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return false
			}
			return (<-sockets).Conn.Close() == nil
		})
	}
	if _, err := io.WriteString(socket.Conn, "still here"); err != nil {
		t.Fatal(err)
	}
	_ = socket.Conn.Close()
	if got, err := io.ReadAll(first.Body); err != nil || !strings.Contains(string(got), "still here") {
		t.Errorf("the viewer gets %q, %v", got, err)
	}
}
