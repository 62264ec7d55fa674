package edge

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// deadline bounds what a test waits for on a connection.
func deadline(t testing.TB, conn net.Conn) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

// Every byte arrives, in either protocol, plain and encrypted, through a send buffer far smaller
// than what is written at once.
func TestWriterDelivers(t *testing.T) {
	for _, p := range []Protocol{RTMP, HTTPFLV} {
		for _, secret := range []bool{false, true} {
			name := p.String()
			if secret {
				name += " over TLS"
			}
			t.Run(name, func(t *testing.T) {
				s := newSource(t)
				tcp, peer := connect(t)
				deadline(t, peer)
				var here, there net.Conn = tcp, peer
				if secret {
					here, there = encrypt(t, tcp, peer)
				}
				w := viewerOn(t, s, p, here, bounds)
				w.Socket.SendBuffer = 4096
				s.push("VAKfaf", 100)
				v := watch(t, w)
				in := bufio.NewReader(there)
				if _, err := in.Peek(1); err != nil { // it has joined
					t.Fatal(err)
				}
				for range 4 {
					s.push("faffa", 30_000)
					s.push("K", 300_000)
				}
				if p == RTMP {
					expectRTMP(t, client(in), s.sent)
				} else {
					expectFLV(t, in, s.sent)
				}
				s.push("fa", 10)
				if err := there.Close(); err != nil {
					t.Fatal(err)
				}
				s.push("fafa", 100_000)
				s.ring.WakeAll()
				v.wakeUntilDone(s)
				if got := v.closedFor(); got != "left" {
					t.Errorf("closed for %q, want left", got)
				}
			})
		}
	}
}

// wakeUntilDone wakes the writer as the topic's housekeeping does, until it has noticed.
func (v *side) wakeUntilDone(s *source) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	late := time.After(patience)
	for {
		select {
		case <-v.done:
			return
		case <-ticker.C:
			s.ring.WakeAll()
		case <-late:
			v.t.Fatal("the writer does not end")
		}
	}
}

// A viewer who takes nothing is closed after the bound, one who takes too little soon after.
func TestWriterStalls(t *testing.T) {
	for name, sip := range map[string]time.Duration{"nothing": 0, "a trickle": 5 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t)
			tcp, peer := connect(t)
			_ = peer.SetReadBuffer(4096)
			b := bounds
			b.Stall = 100 * time.Millisecond
			w := viewerOn(t, s, HTTPFLV, tcp, b)
			w.Socket.SendBuffer = 4096
			s.push("VK", 8_000_000)
			begun := time.Now()
			v := watch(t, w)
			if sip > 0 {
				ticker := time.NewTicker(sip)
				defer ticker.Stop()
			sipping:
				for buf := make([]byte, 3000); ; {
					select {
					case <-ticker.C:
						_ = peer.SetReadDeadline(time.Now().Add(sip))
						_, _ = peer.Read(buf)
					case <-v.done:
						break sipping
					}
					if time.Since(begun) > patience {
						t.Fatal("a viewer who trickles is never closed")
					}
				}
			}
			v.wait()
			if got := v.closedFor(); got != "stalled" {
				t.Errorf("closed for %q, want stalled", got)
			}
			if took := time.Since(begun); took < b.Stall {
				t.Errorf("closed after %v, before its bound", took)
			}
		})
	}
}

// The actor's end ends a write that waits, at once, and nothing is left of it.
func TestWriterInterrupted(t *testing.T) {
	for _, secret := range []bool{false, true} {
		s := newSource(t)
		tcp, peer := connect(t)
		var here net.Conn = tcp
		if secret {
			here, _ = encrypt(t, tcp, peer)
		}
		_ = peer.SetReadBuffer(4096)
		w := viewerOn(t, s, HTTPFLV, here, bounds)
		w.Socket.SendBuffer = 4096
		s.push("VK", 8_000_000)
		v := watch(t, w)
		for buf := make([]byte, 1000); ; { // it has begun to write
			if n, err := peer.Read(buf); n > 0 || err != nil {
				break
			}
		}
		begun := time.Now()
		v.end()
		if took := time.Since(begun); took > patience/2+time.Second {
			t.Errorf("TLS %v: the end takes %v", secret, took)
		}
		if got := v.closedFor(); got != "draining" {
			t.Errorf("closed for %q, want draining", got)
		}
	}
}

// Interrupting races with every deadline that the writer sets: it always ends it.
func TestWriterInterruptRaces(t *testing.T) {
	for i := range 80 {
		s := newSource(t)
		tcp, peer := connect(t)
		_ = peer.SetReadBuffer(4096)
		w := viewerOn(t, s, Protocol(i%2), tcp, bounds)
		w.Socket.SendBuffer = 4096
		s.push("VK", 20_000*(i%8))
		v := watch(t, w)
		buf := make([]byte, 64<<10)
		for range i % 5 {
			_ = peer.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, _ = peer.Read(buf)
			s.push("f", 50_000)
		}
		v.end()
		_ = peer.Close()
	}
}

// status is the last onStatus of an RTMP stream, and whether the end of stream came before it.
func status(t *testing.T, r io.Reader) (code string, eof bool) {
	t.Helper()
	raw, _ := io.ReadAll(r)
	eof = bytes.Contains(raw, rtmp.AppendUserControl(nil, rtmp.EventStreamEOF, streamID))
	guard := client(bytes.NewReader(raw))
	for {
		msg, err := guard.Next()
		if err != nil {
			return code, eof
		}
		if cmd, err := rtmp.ParseCommand(msg.Body); err == nil && cmd.Name == "onStatus" {
			code = cmd.Arg(1).Get("level").String + " " + cmd.Arg(1).Get("code").String
		}
	}
}

func TestWriterSaysGoodbye(t *testing.T) {
	short := bounds
	short.Wait = shortest
	const notFound, stop = "error NetStream.Play.StreamNotFound", "status NetStream.Play.Stop"
	for name, c := range map[string]struct {
		protocol Protocol
		bounds   Bounds
		begin    string
		drain    bool
		code     string
		eof      bool
		http     int
		reason   string
	}{
		"rtmp, none":   {RTMP, short, "", false, notFound, false, 0, "not_found"},
		"rtmp, ended":  {RTMP, short, "VK", false, stop, true, 0, "ended"},
		"rtmp, drain":  {RTMP, bounds, "VK", true, stop, true, 0, "draining"},
		"http, none":   {HTTPFLV, short, "", false, "", false, http.StatusNotFound, "not_found"},
		"http, drain":  {HTTPFLV, bounds, "", true, "", false, 503, "draining"},
		"http, ended":  {HTTPFLV, short, "VK", false, "", false, http.StatusOK, "ended"},
		"http, begun":  {HTTPFLV, bounds, "VK", true, "", false, http.StatusOK, "draining"},
		"rtmp, waited": {RTMP, bounds, "", true, stop, false, 0, "draining"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t)
			tcp, peer := connect(t)
			deadline(t, peer)
			s.push(c.begin, 100)
			v := watch(t, viewerOn(t, s, c.protocol, tcp, c.bounds))
			in := bufio.NewReader(peer)
			if c.begin != "" {
				if _, err := in.Peek(1); err != nil {
					t.Fatal(err)
				}
			}
			if c.drain {
				v.end()
			} else {
				v.wakeUntilDone(s)
			}
			if got := v.closedFor(); got != c.reason {
				t.Errorf("closed for %q, want %q", got, c.reason)
			}
			if c.protocol == RTMP {
				if code, eof := status(t, in); code != c.code || eof != c.eof {
					t.Errorf("the viewer is told %q, end of stream %v", code, eof)
				}
				return
			}
			response, err := http.ReadResponse(in, nil)
			if err != nil || response.StatusCode != c.http ||
				response.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("the response is %v, %v", response, err)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				t.Error(err)
			}
			_ = response.Body.Close()
		})
	}
}

// A viewer who always falls behind is closed as too slow.
func TestWriterTooSlow(t *testing.T) {
	s := newSource(t)
	tcp, peer := connect(t)
	deadline(t, peer)
	b := bounds
	b.Behind, b.Skips = 100*time.Millisecond, 3
	w := viewerOn(t, s, RTMP, tcp, b)
	if err := w.Socket.begin(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	s.push("VAK", 10)
	turns, over := 0, false
	var reason Reason
	for ; !over && turns < 100; turns++ {
		w.lastPoll = 0 // a second has passed
		reason, over = w.turn()
		s.push("ffffffffK", 10)
	}
	if reason != TooSlow || turns != 6 { // a join, four skips, and the turn that sees the fourth
		t.Errorf("after %d turns: %v", turns, reason)
	}
	_ = tcp.Close()
}
