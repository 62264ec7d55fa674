package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// attack is something that a peer must not send. Each must cost the peer its connection, or its
// request, and nothing else.
type attack struct {
	name string
	// http says that it goes to the HTTP address.
	http bool
	// send sends it on a new connection, and says what is wrong about the answer.
	send func(conn net.Conn) error
	// log is what the node's log has to say about it.
	log string
}

// TestBadInput attacks a node over and over while a broadcast and its viewers go on undisturbed.
func TestBadInput(t *testing.T) {
	t.Parallel()
	units := film.get(t)
	n := startNode(t, "--limits.handshake", "3s", "--limits.message", "1MiB", "--viewer.linger", "1s",
		"--publish.grace", "1s")
	p := publish(t, n, "show")
	p.feed(t, units)
	viewers := watchBoth(t, n, "show")
	for _, v := range viewers {
		v.awaitUnits(t, 50)
	}
	before := n.held(t)
	memory := n.metric(t, "process_resident_memory_bytes")
	for _, a := range attacks() {
		repeat(t, n, a, 20)
		if a.log != "" {
			await(t, a.name+": the log says "+a.log, func() bool { return n.stderr.has(a.log) })
		}
		for _, v := range viewers {
			v.mustWatch(t)
		}
	}
	most := n.peak(t)
	t.Logf("memory was %.0f MB and at most %.0f MB", memory/1e6, most/1e6)
	if most > memory+allowance() {
		t.Errorf("memory rose from %.0f to %.0f MB", memory/1e6, most/1e6)
	}
	n.awaitHeld(t, "after all attacks", before)
	settle(t, p, viewers...)
	if n.metric(t, "headwater_viewer_skips_total") != 0 {
		t.Error("a viewer skipped")
	}
}

// peak is the most memory in bytes that the node ever had resident.
func (n *node) peak(t *testing.T) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes float64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatalf("VmHWM: %v", err)
	}
	return kilobytes * 1024
}

// allowance is how much memory in bytes the attacks may cost.
func allowance() float64 {
	if strings.Contains(os.Getenv("HEADWATER_E2E_BUILD"), "-race") {
		return 500e6 // the race detector keeps several times what the program does
	}
	return 100e6
}

// repeat attacks on many connections at once.
func repeat(t *testing.T, n *node, a attack, times int) {
	t.Helper()
	addr := n.rtmp
	if a.http {
		addr = n.http
	}
	var group sync.WaitGroup
	for number := range times {
		group.Go(func() {
			err := visitOnce(addr, number, func(conn net.Conn, _ int) error { return a.send(conn) })
			if err != nil {
				t.Errorf("%s: %v", a.name, err)
			}
		})
	}
	group.Wait()
}

func attacks() []attack {
	return append(append(brokenHandshakes(), brokenMessages()...), brokenRequests()...)
}

// closed waits until the node closes a connection, whatever it says before.
func closed(conn net.Conn) error {
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the node leaves the connection open")
	}
	return nil // the end of the stream, or a reset if it did not read all
}

// raw sends bytes as they are. The node may close the connection before it has all.
func raw(bytes []byte) func(net.Conn) error {
	return func(conn net.Conn) error {
		_, _ = conn.Write(bytes)
		return closed(conn)
	}
}

func brokenHandshakes() []attack {
	noise := make([]byte, 8192)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	wrong := append([]byte{9}, noise[:1536]...)
	hello := append([]byte{3}, noise[:1536]...)
	return []attack{
		{name: "handshake of another version", send: raw(wrong), log: "unknown version"},
		{name: "a request of HTTP", send: raw([]byte("GET / HTTP/1.1\r\n\r\n" +
			strings.Repeat("a: b\r\n", 300))), log: "unknown version"},
		{name: "noise after C1", send: raw(append(hello, noise...))},
		{name: "a connection that says nothing", send: closed, log: "i/o timeout"},
		{name: "one byte of a handshake", send: raw([]byte{3})},
		{name: "half a handshake", send: raw(hello[:700])},
		{name: "a handshake without its last part", send: raw(hello)},
		{name: "a handshake byte by byte", send: trickle},
	}
}

// trickle sends a handshake so slowly that no pause is long, but all of it is.
func trickle(conn net.Conn) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for range tick.C {
		if _, err := conn.Write([]byte{3}); err != nil {
			return nil
		}
		if time.Since(began) > patience/2 {
			return errors.New("the node goes on listening")
		}
	}
	return nil
}

// command sends the body of a command message after the handshake.
func command(body []byte) func(net.Conn) error {
	return func(conn net.Conn) error {
		client := rtmp.NewClient(conn)
		if err := client.Handshake(); err != nil {
			return err
		}
		_, _ = conn.Write(rtmp.AppendMessage(nil, 3, rtmp.TypeCommand, 0, 0, body, 128))
		return closed(conn)
	}
}

// ownKey is a stream key that no other connection has.
func ownKey(conn net.Conn) string {
	_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
	return "bad-" + port
}

// after publishes under a key that is free and then does something.
func after(what func(net.Conn, *rtmp.Client) error) func(net.Conn) error {
	return func(conn net.Conn) error {
		client, err := negotiate(conn)
		if err != nil {
			return err
		}
		if err := client.Publish(ownKey(conn)); err != nil {
			return err
		}
		if err := what(conn, client); err != nil {
			return nil // the node did not wait for the end of it
		}
		return closed(conn)
	}
}

func brokenMessages() []attack {
	connect := rtmp.AppendNumber(rtmp.AppendString(nil, "connect"), 1)
	array := append(bytes.Clone(connect), 0x0a, 0xff, 0xff, 0xff, 0xff)
	nested := append(bytes.Clone(connect), bytes.Repeat([]byte{3, 0, 1, 'a'}, 10_000)...)
	arrays := append(bytes.Clone(connect), bytes.Repeat([]byte{0x0a, 0, 0, 0, 1}, 10_000)...)
	return []attack{
		{name: "array of 2^32 values", send: command(array), log: "bad amf0"},
		{name: "10000 objects in each other", send: command(nested), log: "bad amf0"},
		{name: "10000 arrays in each other", send: command(arrays), log: "bad amf0"},
		{name: "command of a megabyte", send: command(make([]byte, 1<<20)), log: "over the limit"},
		{name: "media before publish", send: early, log: "media before publish"},
		{
			name: "message of 16 MB after publish", log: "over the limit",
			send: after(func(conn net.Conn, _ *rtmp.Client) error {
				var header [rtmp.MaxHeader]byte
				length := rtmp.PutHeader(&header, 6, rtmp.TypeVideo, 0, 1, rtmp.MaxBody)
				_, err := conn.Write(append(header[:length], make([]byte, 1<<20)...))
				return err
			}),
		},
		{
			name: "noise after publish", log: "bad chunk",
			send: after(func(conn net.Conn, _ *rtmp.Client) error {
				_, err := conn.Write(bytes.Repeat([]byte{0xff, 0x3f, 0x00, 0x81}, 4096))
				return err
			}),
		},
		{name: "malformed media after publish", send: malformed, log: "too many malformed messages"},
		{name: "many chunk streams at once", log: "over the limit", send: after(manyStreams)},
	}
}

// early sends video before it may.
func early(conn net.Conn) error {
	client, err := negotiate(conn)
	if err != nil {
		return err
	}
	if err := client.WriteMessage(rtmp.TypeVideo, 0, make([]byte, 1000)); err != nil {
		return err
	}
	return closed(conn)
}

// malformed sends messages that are well formed RTMP and no media, as many as the node takes and
// one more. The node has to say why it stops.
func malformed(conn net.Conn) error {
	client, err := negotiate(conn)
	if err != nil {
		return err
	}
	if err := client.Publish(ownKey(conn)); err != nil {
		return err
	}
	for range ingest.MaxMalformed + 1 {
		if err := client.WriteMessage(rtmp.TypeVideo, 0, []byte{0x17}); err != nil {
			return err
		}
	}
	for err == nil {
		_, err = client.Next()
	}
	var status *rtmp.StatusError
	if !errors.As(err, &status) || !strings.Contains(status.Description, "malformed") {
		return fmt.Errorf("the publisher is not told why: %w", err)
	}
	return closed(conn)
}

// manyStreams begins a message on each of a thousand chunk streams and ends none.
func manyStreams(conn net.Conn, client *rtmp.Client) error {
	if err := client.SetChunkSize(rtmp.DefaultChunkSize); err != nil {
		return err
	}
	var all []byte
	for id := range uint16(1000) {
		all = append(all, 0x01)
		all = binary.LittleEndian.AppendUint16(all, id) // basic header of three bytes
		all = append(all, 0, 0, 0, 0x08, 0, 0, rtmp.TypeVideo, 1, 0, 0, 0)
		all = append(all, make([]byte, 128)...)
	}
	_, err := conn.Write(all)
	return err
}

func brokenRequests() []attack {
	return []attack{
		{name: "key with a space by HTTP", http: true, send: asks("GET", "/live/a%20b.flv", "", 400)},
		{name: "key that climbs by HTTP", http: true, send: asks("GET", "/live/%2e%2e/x.flv", "", 400)},
		{
			name: "key that is long by HTTP", http: true,
			send: asks("GET", "/live/"+strings.Repeat("k", 200)+".flv", "", 400),
		},
		{name: "key without an application", http: true, send: asks("GET", "/x.flv", "", 400)},
		{name: "POST of a stream", http: true, send: asks("POST", "/live/show.flv", "", 405)},
		{
			name: "huge header", http: true,
			send: asks("GET", "/live/show.flv", "X-Long: "+strings.Repeat("a", 1<<20)+"\r\n", 431),
		},
		{name: "no HTTP", http: true, send: asks("\x00\x01\x02", "\xff", "", 400)},
		{name: "no such page", http: true, send: asks("GET", "/no/such/page", "", 404)},
	}
}

// asks asks by HTTP and wants to be refused with a status.
func asks(method, path, headers string, status int) func(net.Conn) error {
	return func(conn net.Conn) error {
		request := method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
			headers + "\r\n"
		go conn.Write([]byte(request)) // the node does not read all of what is too long
		buffer := make([]byte, 4096)
		length, err := io.ReadAtLeast(conn, buffer, len("HTTP/1.1 400"))
		if err != nil {
			return err
		}
		want := fmt.Sprintf("HTTP/1.1 %d", status)
		if !bytes.HasPrefix(buffer[:length], []byte(want)) {
			return fmt.Errorf("got %.40q, want %s %s", buffer[:length], want, http.StatusText(status))
		}
		return nil
	}
}

// TestBadKeys publishes and plays under names that are none. Each is told what is wrong.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for _, key := range []string{
		"", "a b", "../x", "a/../b", "a\x00b", "ключ", strings.Repeat("k", 200), "a<b>", "..",
	} {
		_, err := publishOn(t, dial(t, n.rtmp), key)
		checkStatus(t, "publish", key, err, "NetStream.Publish.BadName")
		v := watchRTMP(t, n, key)
		ends(t, v.name, v.ended)
		checkStatus(t, "play", key, v.err, "NetStream.Play.StreamNotFound")
	}
	await(t, "the node has counted all 18", func() bool { // a moment after the last has ended
		return n.metric(t, "headwater_rtmp_connections_total", `outcome="failed"`) == 18
	})
}

func checkStatus(t *testing.T, what, key string, err error, code string) {
	t.Helper()
	var status *rtmp.StatusError
	if !errors.As(err, &status) || status.Code != code ||
		!strings.Contains(status.Description, "not a broadcast key") {
		t.Errorf("%s %.20q: %v", what, key, err)
	}
}
