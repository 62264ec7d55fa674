package listen

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/edge"
	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// watch is a client that plays, if it is let.
func (s *scene) watch() error {
	c := rtmp.NewClient(s.dial())
	for _, step := range []func() error{
		c.Handshake,
		func() error { return c.Connect("live", "rtmp://here/live") },
		func() error { return c.Play("a") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// A listener that fails and is restarted loses no connection that it has not accepted, none that it
// gave away, and accepts on.
func TestListenerRestarts(t *testing.T) {
	s := newScene(t, nil)
	c, _ := s.client("live")
	if err := c.Publish("a"); err != nil {
		t.Fatal(err)
	}
	taken := s.next().(*ingest.Conn)
	<-taken.Ready
	listener := s.system.NewLocalPID("root/rtmp")
	for range 3 {
		s.system.Root.Send(listener, &supervise.Crash{Reason: "drill"})
		err := s.watch() // perhaps while nobody accepts
		for tries := 0; err != nil && tries < 20; tries++ {
			if !isEnd(err) { // it was being negotiated
				t.Fatal(err)
			}
			err = s.watch()
		}
		if err != nil {
			t.Fatal(err)
		}
		<-s.next().(*edge.Socket).Ready
	}
	if err := c.WriteMessage(rtmp.TypeVideo, 7, []byte{0x17, 1, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if msg, err := taken.Guard.Next(); err != nil || msg.Timestamp != 7 {
		t.Errorf("across restarts: %+v, %v", msg, err)
	}
}

// Connections that wait in the socket's queue while nobody accepts are accepted after.
func TestPauseKeepsThePending(t *testing.T) {
	socket, err := Listen(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	socket.pause()
	if _, err := socket.Accept(); err == nil {
		t.Fatal("a paused socket accepts")
	}
	out, err := net.Dial("tcp", socket.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	socket.resume()
	in, err := socket.Accept()
	if err != nil || in.RemoteAddr().String() != out.LocalAddr().String() {
		t.Fatalf("%v, %v", in, err)
	}
	_ = in.Close()
	if err := socket.Close(); err != nil {
		t.Error(err)
	}
	if err := socket.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	socket.pause() // says nothing to a closed socket
	socket.resume()
}

// failing is a listener whose Accept fails a few times first.
type failing struct {
	net.Listener
	mu    sync.Mutex
	times []time.Time
}

func (f *failing) Accept() (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times = append(f.times, time.Now()); len(f.times) <= 4 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestAcceptBacksOff(t *testing.T) {
	flaky := &failing{}
	s := newScene(t, func(o *RTMPOptions) {
		_ = o.Socket.Close()
		var err error
		o.Socket, err = Listen(t.Context(), "127.0.0.1:0", func(l net.Listener) net.Listener {
			flaky.Listener = l
			return flaky
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	c, _ := s.client("live")
	if err := c.Play("a"); err != nil {
		t.Fatal(err)
	}
	<-s.next().(*edge.Socket).Ready
	if got := value(t, s.options.Metrics.acceptErrors); got != 4 {
		t.Errorf("%v errors are counted, want 4", got)
	}
	s.stop()
	for i, least := 1, firstPause; i <= 4; i, least = i+1, 2*least {
		if pause := flaky.times[i].Sub(flaky.times[i-1]); pause < least {
			t.Errorf("after error %d it pauses %v, want %v", i, pause, least)
		}
	}
}

// gather collects what a client writes.
type gather struct {
	net.Conn
	wrote []byte
}

// Write implements net.Conn.
func (g *gather) Write(b []byte) (int, error) {
	g.wrote = append(g.wrote, b...)
	return g.Conn.Write(b)
}

// negotiation is all that a client sends up to its publish or play command.
func negotiation(t *testing.T, s *scene, play bool) []byte {
	g := &gather{Conn: s.dial()}
	c := rtmp.NewClient(g)
	ask := c.Publish
	if play {
		ask = c.Play
	}
	if err := errors.Join(c.Handshake(), c.Connect("live", "rtmp://here/live"), ask("a")); err != nil {
		t.Fatal(err)
	}
	s.next()
	return g.wrote
}

// A listener that is sent rubbish, in whatever state, goes on serving, and nothing is left of it.
func TestRubbish(t *testing.T) {
	plain := newScene(t, nil)
	scripts := [][]byte{negotiation(t, plain, false), negotiation(t, plain, true)}
	s := newScene(t, func(o *RTMPOptions) {
		o.Handshake = 300 * time.Millisecond
		o.Desk = &Desk{ // whoever gets this far is let go at once
			Publish: func(_ context.Context, _ string, c *ingest.Conn) error { return c.Close() },
			Play:    func(_ context.Context, _ string, s *edge.Socket) error { return s.Conn.Close() },
		}
	})
	rng := rand.New(rand.NewPCG(7, 7))
	var wg sync.WaitGroup
	for i := range 300 {
		data := append([]byte{}, scripts[i%2]...)
		switch i % 5 {
		case 0: // noise
			for j := range data {
				data[j] = byte(rng.Uint32())
			}
		case 1: // noise after the handshake
			for j := 3073; j < len(data); j++ {
				data[j] = byte(rng.Uint32())
			}
		case 2: // cut off
			data = data[:rng.IntN(len(data))]
		default: // a few bytes wrong
			for range 1 + rng.IntN(6) {
				data[3073+rng.IntN(len(data)-3073)] = byte(rng.Uint32())
			}
		}
		conn := s.dial()
		wg.Go(func() {
			_, _ = conn.Write(data)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		})
		if i%20 == 19 {
			wg.Wait()
		}
	}
	wait(t, "negotiations are left", func() bool {
		s.options.Caps.mu.Lock()
		defer s.options.Caps.mu.Unlock()
		return s.options.Caps.young == 0 && s.options.Caps.total == 0
	})
	c, _ := s.client("live")
	if err := c.CloseStream(); err != nil { // the listener serves on
		t.Fatal(err)
	}
}
