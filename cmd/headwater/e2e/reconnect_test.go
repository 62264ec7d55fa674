package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// crowd is twenty viewers, half of them by each protocol.
func crowd(t *testing.T, n *node, key string) []*viewer {
	t.Helper()
	var all []*viewer
	for range 10 {
		all = append(all, watchBoth(t, n, key)...)
	}
	return all
}

// awaitShown waits until each viewer has a second of the pictures of the publishers so far: as many
// video headers, and pictures behind the last.
func awaitShown(t *testing.T, viewers []*viewer, publishers int) {
	t.Helper()
	for _, v := range viewers {
		what := fmt.Sprintf("%s sees publisher %d", v.name, publishers)
		await(t, what, func() bool {
			v.mustWatch(t)
			got := v.got()
			if count(got, videoHeader) < publishers {
				return false
			}
			at := len(got) - 1
			for !videoHeader(got[at]) {
				at--
			}
			return count(got[at:], func(u unit) bool { return u.kind == media.Video }) > 31
		})
	}
}

// TestPublisherComesBack kills ffmpeg ten times and starts it again while twenty viewers watch.
// Then another takes its place while it still publishes, and one more when that hangs and does not
// let go of its connection, as if its network were gone.
func TestPublisherComesBack(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewers := crowd(t, n, "show")
	epoch := 1
	encoder := encode(t, n.rtmpURL("show"))
	for ; epoch <= 10; epoch++ {
		n.awaitState(t, "show", epoch, "live")
		awaitShown(t, viewers, epoch)
		encoder.kill(t)
		n.awaitState(t, "show", epoch, "grace")
		encoder = encode(t, n.rtmpURL("show"))
	}
	awaitShown(t, viewers, epoch)
	next := encode(t, n.rtmpURL("show"))
	ends(t, "the encoder whose place is taken", encoder.ended)
	epoch++
	n.awaitState(t, "show", epoch, "live")
	awaitShown(t, viewers, epoch)
	if encoder.exitCode() == 0 || over(next.ended) {
		t.Errorf("the older ffmpeg ended with %d, the newer with %v", encoder.exitCode(), next.err)
	}
	next.signal(t, syscall.SIGSTOP)
	encode(t, n.rtmpURL("show"))
	epoch++
	n.awaitState(t, "show", epoch, "live")
	awaitShown(t, viewers, epoch)
	checkCrowd(t, n, viewers, epoch)
}

// checkCrowd holds what twenty viewers received to each other and to a decoder.
func checkCrowd(t *testing.T, n *node, viewers []*viewer, epochs int) {
	t.Helper()
	closes := n.metric(t, "headwater_viewer_closes_total")
	skips := n.metric(t, "headwater_viewer_skips_total")
	if b := n.broadcast(t, "show"); closes != 0 || skips != 0 || b.Viewers != len(viewers) {
		t.Errorf("%v viewers were closed, %v skips, the broadcast is %+v", closes, skips, b)
	}
	least := viewers[0].got()
	for _, v := range viewers {
		v.mustWatch(t)
		got := v.got()
		if len(got) < len(least) {
			least = got
		}
		checkRising(t, v.name, got)
		if headers := count(got, videoHeader); headers != epochs {
			t.Errorf("%s: %d video headers of %d publishers", v.name, headers, epochs)
		}
	}
	for _, v := range viewers {
		same := func(a, b unit) bool { return a.same(b) && a.ms == b.ms }
		if !slices.EqualFunc(v.got()[:len(least)], least, same) {
			t.Errorf("%s received something else than the others", v.name)
		}
		checkDecodes(t, v.name, v.got())
	}
	t.Logf("%d viewers, %d publishers, %d units each", len(viewers), epochs, len(least))
}

// TestTakeover has our own client take over from our own client: each of the two knows what of its
// own has to arrive.
func TestTakeover(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewers := watchBoth(t, n, "show")
	units := film.get(t)
	first := publish(t, n, "show")
	first.feed(t, units)
	for _, v := range viewers {
		v.awaitUnits(t, 150)
	}
	second := publish(t, n, "show")
	second.feed(t, units)
	ends(t, "the publisher whose place is taken", first.ended)
	var status *rtmp.StatusError
	if !errors.As(first.err, &status) ||
		!strings.Contains(status.Description, "another publisher took the stream key over") {
		t.Errorf("the publisher whose place is taken is told: %v", first.err)
	}
	awaitShown(t, viewers, 2)
	second.halt()
	for _, v := range viewers {
		got := v.got()
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
		from := len(got) - 1
		for !videoHeader(got[from]) {
			from--
		}
		for from > 0 && got[from-1].header() {
			from--
		}
		checkLedger(t, v.name+", first publisher", first.ledger(), got[:from])
		checkLedger(t, v.name+", second publisher", second.ledger(), got[from:])
	}
}

// TestReject has a node that keeps the publisher it has.
func TestReject(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--publish.policy", "reject")
	viewers := watchBoth(t, n, "show")
	p := publish(t, n, "show")
	p.feed(t, film.get(t))
	viewers[0].awaitUnits(t, 100)

	_, err := publishOn(t, dial(t, n.rtmp), "show")
	var status *rtmp.StatusError
	if !errors.As(err, &status) || status.Code != "NetStream.Publish.BadName" {
		t.Fatalf("a second publisher gets: %v", err)
	}
	t.Logf("a second publisher is told: %v", status)
	second := encode(t, n.rtmpURL("show"))
	wrote := finish(t, second)
	if second.exitCode() == 0 || !second.stderr.has(status.Description) {
		t.Errorf("a second ffmpeg ends with %d and does not say %q:\n%s",
			second.exitCode(), status.Description, wrote)
	}
	viewers[1].awaitUnits(t, 200)
	settle(t, p, viewers...)

	p.conn.Close()
	n.awaitState(t, "show", 1, "grace")
	publish(t, n, "show") // as soon as the first is gone the key is free
	n.awaitState(t, "show", 2, "live")
}
