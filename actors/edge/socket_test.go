package edge

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// until polls a condition that another side of a connection brings about.
func until(t *testing.T, what string, done func() bool) {
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

// viewerSocket is a socket after begin, and its peer.
func viewerSocket(t *testing.T, p Protocol, secret bool) (*Socket, net.Conn) {
	t.Helper()
	tcp, peer := connect(t)
	deadline(t, peer)
	var here, there net.Conn = tcp, peer
	if secret {
		here, there = encrypt(t, tcp, peer)
	}
	w := viewerOn(t, newSource(t), p, here, bounds)
	if err := w.Socket.begin(); err != nil {
		t.Fatal(err)
	}
	return w.Socket, there
}

func TestPoll(t *testing.T) {
	command := func(name string) []byte {
		body := rtmp.AppendCommand(nil, rtmp.Command{Name: name, Args: []rtmp.Value{{}, rtmp.Num(1)}})
		return rtmp.AppendMessage(nil, rtmp.ChunkCommand, rtmp.TypeCommand, 0, 0, body, 128)
	}
	for _, secret := range []bool{false, true} {
		for _, name := range []string{"deleteStream", "closeStream"} {
			s, peer := viewerSocket(t, RTMP, secret)
			if !s.poll(patience) {
				t.Fatal("a viewer who says nothing has left")
			}
			ping := rtmp.AppendUserControl(rtmp.AppendAck(nil, 77), rtmp.EventPingRequest, 4711)
			for i := range ping { // it comes byte by byte
				if _, err := peer.Write(ping[i : i+1]); err != nil {
					t.Fatal(err)
				}
				if !s.poll(patience) {
					t.Fatalf("at byte %d of a ping the viewer has left", i)
				}
			}
			want := rtmp.AppendUserControl(nil, rtmp.EventPingResponse, 4711)
			got := make([]byte, len(want))
			answered := make(chan error, 1)
			go func() {
				_, err := io.ReadFull(peer, got)
				answered <- err
			}()
			var err error
			until(t, "no answer", func() bool {
				select {
				case err = <-answered:
					return true
				default:
					return !s.poll(patience)
				}
			})
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("the answer is % x, %v", got, err)
			}
			if _, err := peer.Write(append(command("pause"), command(name)...)); err != nil {
				t.Fatal(err)
			}
			until(t, name+" is not noticed", func() bool { return !s.poll(patience) })
		}
	}
}

func TestPollNoticesTheEnd(t *testing.T) {
	for _, p := range []Protocol{RTMP, HTTPFLV} {
		for name, end := range map[string]func(net.Conn){
			"close": func(c net.Conn) { _ = c.Close() },
			"reset": func(c net.Conn) { _, _ = c.(*net.TCPConn).SetLinger(0), c.Close() },
			"text": func(c net.Conn) {
				_, _ = c.Write(bytes.Repeat([]byte("and more "), 100))
				_ = c.Close()
			},
		} {
			s, peer := viewerSocket(t, p, false)
			if !s.poll(patience) {
				t.Fatalf("%v: a viewer who says nothing has left", p)
			}
			end(peer)
			until(t, p.String()+": "+name+" is not noticed", func() bool { return !s.poll(patience) })
		}
	}
	s, peer := viewerSocket(t, RTMP, true)
	_ = peer.Close()
	until(t, "the end of a TLS connection is not noticed", func() bool { return !s.poll(patience) })
}

// A viewer who floods the node does not keep his writer from its turn, nor does one who asks for
// answers that he does not read keep it for longer than the bound.
func TestPollIsBounded(t *testing.T) {
	for _, p := range []Protocol{RTMP, HTTPFLV} {
		s, peer := viewerSocket(t, p, false)
		_ = s.Conn.(*net.TCPConn).SetWriteBuffer(4096)
		_ = peer.(*net.TCPConn).SetReadBuffer(4096)
		pings := bytes.Repeat(rtmp.AppendUserControl(nil, rtmp.EventPingRequest, 1), 1000)
		flood := make(chan struct{})
		go func() {
			defer close(flood)
			for {
				if _, err := peer.Write(pings); err != nil {
					return
				}
			}
		}()
		begun := time.Now()
		for range 100 {
			if !s.poll(50 * time.Millisecond) {
				break
			}
		}
		if took := time.Since(begun); took > patience/2 {
			t.Errorf("%v: polls take %v", p, took)
		}
		_, _ = s.Conn.Close(), peer.Close()
		<-flood
	}
}

func TestPollReader(t *testing.T) {
	for _, secret := range []bool{false, true} {
		tcp, peer := connect(t)
		var here, there net.Conn = tcp, peer
		if secret {
			here, there = encrypt(t, tcp, peer)
		}
		r := NewPollReader(here)
		buf := make([]byte, 16)
		go func() { _, _ = there.Write([]byte("first")) }()
		if n, err := r.Read(buf); err != nil || string(buf[:n]) != "first" {
			t.Fatalf("before Poll: %q, %v", buf[:n], err)
		}
		r.Poll()
		for range 3 {
			if n, err := r.Read(buf); n != 0 || !errors.Is(err, ErrWouldBlock) {
				t.Fatalf("with nothing there: %d, %v", n, err)
			}
		}
		if n, err := r.Read(nil); n != 0 || err != nil && !errors.Is(err, ErrWouldBlock) {
			t.Fatalf("into nothing: %d, %v", n, err)
		}
		_, _ = there.Write([]byte("then"))
		until(t, "what was written does not come", func() bool {
			n, err := r.Read(buf)
			return err == nil && string(buf[:n]) == "then"
		})
		_ = there.Close()
		until(t, "the end does not come", func() bool {
			_, err := r.Read(buf)
			return errors.Is(err, io.EOF)
		})
		_ = here.Close()
		if _, err := r.Read(buf); err == nil || errors.Is(err, ErrWouldBlock) {
			t.Errorf("after Close: %v", err)
		}
	}
}

// The first who asks owns a connection.
func TestOwn(t *testing.T) {
	var s Socket
	if !s.Own() || s.Own() {
		t.Error("a connection has no owner, or two")
	}
}
