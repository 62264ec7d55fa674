package e2e

import (
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// dialNarrow connects with a receive buffer of some bytes, so that what is not read is soon felt.
func dialNarrow(t *testing.T, addr string, buffer int) net.Conn {
	t.Helper()
	dialer := net.Dialer{
		Timeout: patience,
		Control: func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
			})
			if err != nil {
				return err
			}
			return failed
		},
	}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// slowConn is a connection that is read in small pieces with pauses.
type slowConn struct {
	net.Conn
	pace *time.Ticker
}

// Read implements io.Reader.
func (c *slowConn) Read(p []byte) (int, error) {
	<-c.pace.C
	const piece = 8 << 10
	return c.Conn.Read(p[:min(len(p), piece)])
}

// slow makes a connection read some 160 kB a second, a fraction of what the broadcast has.
func slow(t *testing.T, conn net.Conn) net.Conn {
	t.Helper()
	pace := time.NewTicker(50 * time.Millisecond)
	t.Cleanup(pace.Stop)
	return &slowConn{conn, pace}
}

// TestSlowViewers has viewers of a heavy broadcast who read slowly or not at all, beside two who
// read well and notice nothing.
func TestSlowViewers(t *testing.T) {
	t.Parallel()
	units := heavy.get(t)
	n := startNode(t, "--viewer.max-stall", "1s", "--viewer.send-buffer", "16KiB",
		"--viewer.max-behind", "1s", "--viewer.max-skips", "1000")
	p := publish(t, n, "show")
	p.feed(t, units)
	good := watchBoth(t, n, "show")
	stalled := dialNarrow(t, n.http, 4<<10)
	_, err := io.WriteString(stalled, "GET /live/show.flv HTTP/1.1\r\nHost: x\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	slowViewers := []*viewer{
		watchRTMPOn(t, slow(t, dialNarrow(t, n.rtmp, 8<<10)), "show"),
		watchFLVOn(t, slow(t, dialNarrow(t, n.http, 8<<10)), "show"),
	}
	await(t, "the one who reads nothing is closed", func() bool {
		return n.metric(t, "headwater_viewer_closes_total", `reason="stalled"`) == 1
	})
	if err := closed(stalled); err != nil {
		t.Error(err)
	}
	for _, protocol := range []string{`protocol="rtmp"`, `protocol="http_flv"`} {
		await(t, "the one who reads slowly skips by "+protocol, func() bool {
			return n.metric(t, "headwater_viewer_skips_total", protocol) >= 3
		})
	}
	settle(t, p, good...)
	for _, v := range slowViewers {
		v.mustWatch(t)
		checkSkips(t, v, p.ledger())
	}
	if closes := n.metric(t, "headwater_viewer_closes_total"); closes != 1 {
		t.Errorf("%v viewers were closed, want 1", closes)
	}
}

// checkSkips holds what a slow viewer received to what was sent: whole, in order, and wherever
// something is left out it goes on with a keyframe.
func checkSkips(t *testing.T, v *viewer, sent []unit) {
	t.Helper()
	sent = effective(sent)
	got := v.got()
	checkRising(t, v.name, got)
	checkDecodes(t, v.name, got)
	_, rest := begin(got)
	at, skips := slices.IndexFunc(sent, rest[0].same), 0
	for i, u := range rest {
		if !u.same(sent[at]) {
			next := slices.IndexFunc(sent[at:], u.same)
			if next < 0 || !u.picture() {
				t.Errorf("%s: unit %d, after a gap, is %v", v.name, i, u)
				return
			}
			at += next
			skips++
		}
		at++
	}
	t.Logf("%s: %d units, %d skips", v.name, len(rest), skips)
	if skips == 0 {
		t.Errorf("%s did not skip", v.name)
	}
}

// TestTooSlow has a viewer who skips more often than a node allows.
func TestTooSlow(t *testing.T) {
	t.Parallel()
	units := heavy.get(t)
	n := startNode(t, "--viewer.send-buffer", "16KiB", "--viewer.max-behind", "500ms",
		"--viewer.max-skips", "1")
	p := publish(t, n, "show")
	p.feed(t, units)
	v := watchRTMPOn(t, slow(t, dialNarrow(t, n.rtmp, 8<<10)), "show")
	await(t, "the viewer is closed", func() bool {
		return n.metric(t, "headwater_viewer_closes_total", `reason="too_slow"`) == 1
	})
	ends(t, v.name, v.ended)
	if !v.heard("too slow") {
		t.Errorf("%s is told %q, %v", v.name, v.words, v.err)
	}
}
