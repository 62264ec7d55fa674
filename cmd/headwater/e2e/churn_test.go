package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// held is what a node holds on to: what has to come back to where it was.
type held struct{ goroutines, files, actors float64 }

func (n *node) held(t *testing.T) held {
	t.Helper()
	return held{
		goroutines: n.metric(t, "go_goroutines"),
		files:      n.metric(t, "process_open_fds"),
		actors:     n.actors(t),
	}
}

// awaitHeld waits until a node holds no more than it did.
func (n *node) awaitHeld(t *testing.T, when string, before held) {
	t.Helper()
	var now held
	deadline := time.Now().Add(patience)
	await(t, when+": the node holds what it held", func() bool {
		now = n.held(t)
		done := now.goroutines <= before.goroutines && now.files <= before.files &&
			now.actors == before.actors
		if !done && time.Now().After(deadline.Add(-time.Second)) {
			_, tree := n.get(t, "/debug/tree?all=1")
			t.Fatalf("%s: held %+v before, now %+v\n%.8000s", when, before, now, tree)
		}
		return done
	})
	t.Logf("%s: %+v before, %+v now", when, before, now)
}

// visitors of a node, each of its own kind; each is gone again when the function returns.
func visitors() []func(conn net.Conn, number int) error {
	return []func(net.Conn, int) error{
		playOnce, playNothing, publishOnce, halfHandshake, connectOnly, getOnce, getNothing, getHalf,
	}
}

// TestThousandVisitors has a thousand connections come and go while a broadcast with a viewer goes
// on undisturbed. Nothing of them stays.
func TestThousandVisitors(t *testing.T) {
	t.Parallel()
	units := film.get(t)
	n := startNode(t, "--publish.grace", "1s", "--viewer.linger", "1s", "--limits.handshake", "2s")
	empty := n.held(t)
	p := publish(t, n, "show")
	p.feed(t, units)
	watchers := watchBoth(t, n, "show")
	for _, v := range watchers {
		v.awaitUnits(t, 50)
	}
	before := n.held(t)
	if before.actors <= empty.actors || before.files <= empty.files {
		t.Fatalf("a broadcast costs nothing: %+v, %+v", empty, before)
	}
	visit(t, n, 1000)
	n.awaitHeld(t, "after a thousand visitors", before)
	settle(t, p, watchers...)
	if n.metric(t, "headwater_rtmp_connections_total", `outcome="negotiated"`) < 300 {
		t.Error("the visitors did not come in")
	}
	p.conn.Close()
	for _, v := range watchers {
		v.leave(t)
	}
	n.awaitHeld(t, "after the broadcast", empty)
}

// visit has that many visitors come, some at once.
func visit(t *testing.T, n *node, count int) {
	t.Helper()
	kinds := visitors()
	numbers := make(chan int)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for number := range numbers {
				kind := number % len(kinds)
				addr := n.rtmp
				if kind >= 5 {
					addr = n.http
				}
				if err := visitOnce(addr, number, kinds[kind]); err != nil {
					t.Errorf("visitor %d of kind %d: %v", number, kind, err)
				}
			}
		})
	}
	for number := range count {
		numbers <- number
	}
	close(numbers)
	group.Wait()
}

func visitOnce(addr string, number int, what func(net.Conn, int) error) error {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return what(conn, number)
}

// playOnce plays the broadcast up to its first picture.
func playOnce(conn net.Conn, _ int) error {
	client, err := negotiate(conn)
	if err != nil {
		return err
	}
	if err := client.Play("show"); err != nil {
		return err
	}
	for {
		m, err := client.Next()
		if err != nil || m.Type == rtmp.TypeVideo {
			return err
		}
	}
}

// playNothing plays what is not there and does not wait for it.
func playNothing(conn net.Conn, number int) error {
	client, err := negotiate(conn)
	if err != nil {
		return err
	}
	return client.Play(fmt.Sprint("nothing", number))
}

// publishOnce publishes a little under a key of its own.
func publishOnce(conn net.Conn, number int) error {
	client, err := negotiate(conn)
	if err != nil {
		return err
	}
	if err := client.Publish(fmt.Sprint("once", number)); err != nil {
		return err
	}
	for _, u := range enhanced("hvc1")[:10] {
		typ := rtmp.TypeVideo
		if u.kind.String() == "audio" {
			typ = rtmp.TypeAudio
		}
		if err := client.WriteMessage(typ, uint32(u.ms), u.body); err != nil {
			return err
		}
	}
	if number%16 < 8 {
		return client.CloseStream()
	}
	return nil
}

// halfHandshake stops somewhere in the handshake.
func halfHandshake(conn net.Conn, number int) error {
	if _, err := conn.Write(make([]byte, 0)); err != nil {
		return err
	}
	block := make([]byte, 1537)
	block[0] = 3
	_, err := conn.Write(block[:number%1538])
	return err
}

// connectOnly gets as far as the application.
func connectOnly(conn net.Conn, _ int) error {
	_, err := negotiate(conn)
	return err
}

// getOnce watches by HTTP for a little while.
func getOnce(conn net.Conn, _ int) error {
	if _, err := io.WriteString(conn, "GET /live/show.flv HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 5000))
	return err
}

// getNothing asks for what is not there and does not wait for it.
func getNothing(conn net.Conn, number int) error {
	_, err := fmt.Fprintf(conn, "GET /live/none%d.flv HTTP/1.1\r\nHost: x\r\n\r\n", number)
	return err
}

// getHalf stops in the middle of its request.
func getHalf(conn net.Conn, _ int) error {
	_, err := io.WriteString(conn, http.MethodGet+" /live/show.flv HTTP/1.1\r\nHo")
	return err
}
