package e2e

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// dialer connects a crew.
var dialer = net.Dialer{Timeout: patience}

// soak is for how long the long tests run in full, 0 if they are to be short: make soak.
func soak(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("HEADWATER_SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("HEADWATER_SOAK: %v", err)
	}
	return d
}

// TestLeaks switches a blur on and off while viewers come and go, actors are crashed, the publisher
// sends damage and is killed. No output shows the marker from the PTS on that was acknowledged,
// until the blur is off again. HEADWATER_SOAK has it switch twenty times.
func TestLeaks(t *testing.T) {
	t.Parallel()
	switches := 4
	if soak(t) > 0 {
		switches = 20
	}
	for name, run := range map[string]func(*testing.T, *leakTest, int){
		"damage": underDamage, "crashes": underCrashes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLeakTest(t)
			l.shot.get(t)
			run(t, l, switches)
			l.finish(t)
		})
	}
}

// leakTest is a broadcast whose every output is recorded, and when it had to be blurred.
type leakTest struct {
	n        *node
	shot     *shot
	watched  []*viewer // from the beginning to the end
	visitors *crew
	spans    spans
	blurred  []period
	epoch    int
	damaged  bool // on purpose, by the publisher
}

// period is from the answer that something is blurred until it is asked to be shown again.
type period struct{ from, to time.Time }

func newLeakTest(t *testing.T) *leakTest {
	t.Helper()
	l := &leakTest{shot: &moving, n: launchNodeIn(t, []string{"HEADWATER_DRILLS=1"})}
	l.n.ladder(t, "show", rendition{Name: "480p", Height: 480, Bitrate: 1_500_000})
	l.watched = append(watchBoth(t, l.n, "show"), watchFLV(t, l.n, "show?rendition=480p"),
		watchRTMP(t, l.n, "show?rendition=source"))
	return l
}

// publish has a publisher begin, and waits until everybody sees him.
func (l *leakTest) publish(t *testing.T, units []unit) *publisher {
	t.Helper()
	p := publish(t, l.n, "show")
	p.feed(t, units)
	l.epoch++
	l.n.awaitState(t, "show", l.epoch, "live")
	l.goOn(t, 500)
	return p
}

// goOn waits until the viewers have seen some more of it, in milliseconds.
func (l *leakTest) goOn(t *testing.T, more int64) {
	t.Helper()
	var to []int64
	for _, v := range l.watched {
		to = append(to, max(0, latestPTS(v.got()))+more)
	}
	for i, v := range l.watched {
		awaitPTS(t, []*viewer{v}, to[i])
	}
}

// visit has viewers come and go from now on.
func (l *leakTest) visit(t *testing.T) {
	t.Helper()
	l.visitors = join(t, l.n, "show", "show?rendition=480p", "show?rendition=source")
	l.visitors.photograph(l.shot.marker, "show", "", "?rendition=480p", "?rendition=source")
}

// on has the marker blurred, and shown for a while.
func (l *leakTest) on(t *testing.T, mode string) {
	t.Helper()
	a := l.n.blur(t, "show", mode, l.shot.marker.rect)
	t.Logf("%s: %v", mode, a)
	if a.State != "live" && a.State != "withheld" { // the latter where what was sent is damaged
		t.Fatalf("%s does not hold", mode)
	}
	l.spans.on(a.PTS)
	l.blurred = append(l.blurred, period{from: time.Now()})
	awaitPTS(t, l.watched, a.PTS+700)
}

// off has it shown again.
func (l *leakTest) off(t *testing.T) {
	t.Helper()
	l.blurred[len(l.blurred)-1].to = time.Now()
	// One rendition may end the blur before the other: from now on, each may.
	for _, v := range l.watched {
		l.spans.off(latestPTS(v.got()))
	}
	a := l.n.blur(t, "show", "")
	t.Logf("off: %v", a)
	awaitPTS(t, l.watched, a.PTS+700)
}

// finish reads all that was received.
func (l *leakTest) finish(t *testing.T) {
	t.Helper()
	l.visitors.end()
	for _, v := range l.watched {
		v.mustWatch(t)
		v.leave(t)
		checkRising(t, v.name, v.got())
		if !l.damaged {
			checkDecodes(t, v.name, v.got())
		}
	}
	for _, v := range l.watched {
		t.Logf("%s: %v", v.name, l.spans.scan(t, l.shot.marker, []*viewer{v}))
	}
	sum := l.spans.scan(t, l.shot.marker, l.visitors.all)
	t.Logf("visitors: %v", sum)
	if sum.viewers < 10 || sum.hidden < 100 || sum.shown < 100 {
		t.Errorf("the visitors did not see enough: %v", sum)
	}
	l.photos(t)
	l.n.stop(t)
}

// photos holds the snapshots to what was commanded: by their PTS, and by when they were asked for.
func (l *leakTest) photos(t *testing.T) {
	t.Helper()
	hidden, shown, greatest := 0, 0, 0.0
	for _, p := range l.visitors.shots {
		within := slices.ContainsFunc(l.blurred, func(b period) bool {
			return p.asked.After(b.from) && p.got.Before(b.to)
		})
		if !within && !l.spans.have(p.pts) {
			shown++
			continue
		}
		hidden++
		greatest = max(greatest, p.contrast)
		if p.contrast > unreadable {
			t.Errorf("%s: the marker can be read at %d ms of %dx%d: contrast %.1f",
				p.name, p.pts, p.width, p.height, p.contrast)
		}
	}
	t.Logf("%d snapshots: %d had to be hidden, contrast %.1f at most; %d not",
		len(l.visitors.shots), hidden, greatest, shown)
	if hidden < 5 {
		t.Errorf("only %d snapshots were taken of the blurred picture", hidden)
	}
}

// underDamage switches while the publisher sends damaged pictures, leaves some out and repeats
// headers.
func underDamage(t *testing.T, l *leakTest, switches int) {
	t.Helper()
	l.damaged = true
	l.publish(t, damaged(l.shot.long(t, 300)))
	l.visit(t)
	for i := range switches {
		l.on(t, modes[i%len(modes)])
		l.goOn(t, 1000)
		l.off(t)
	}
}

// damaged returns a stream with about one fault a second.
func damaged(units []unit) []unit {
	source := rand.New(rand.NewPCG(1, 2))
	var out []unit
	var header unit
	for _, u := range units {
		info, err := u.info()
		if err != nil || u.kind != media.Video || u.header() || len(u.body) < info.Payload+32 {
			if videoHeader(u) {
				header = u
			}
			out = append(out, u)
			continue
		}
		if u.picture() && source.IntN(3) == 0 {
			out = append(out, unit{header.kind, u.ms, header.body})
		}
		payload := info.Payload
		body := slices.Clone(u.body)
		switch source.IntN(80) {
		case 0: // the picture is lost
			continue
		case 1, 2: // bytes of the slice are wrong
			for range 1 + source.IntN(6) {
				body[payload+8+source.IntN(len(body)-payload-8)] ^= byte(1 << source.IntN(8))
			}
		case 3: // the end is missing
			body = body[:payload+16+source.IntN(len(body)-payload-16)]
		case 4: // the length of its first part is nonsense
			binary.BigEndian.PutUint32(body[payload:], source.Uint32())
		}
		out = append(out, unit{u.kind, u.ms, body})
	}
	return out
}

// underCrashes switches while what makes the pictures fails, and the publisher goes and comes back.
func underCrashes(t *testing.T, l *leakTest, switches int) {
	t.Helper()
	units := l.shot.long(t, 300)
	p := l.publish(t, units)
	l.visit(t)
	broadcast := func(name string) string {
		return fmt.Sprintf("node/broadcasts/broadcast/live/show.%d%s", l.epoch, name)
	}
	crash := func(paths ...string) func() {
		return func() {
			for _, path := range paths {
				l.n.crash(t, path)
			}
		}
	}
	events := []func(){
		func() { crash(broadcast("/processing/process/main"))() },
		func() { crash(broadcast("/gate"))() },
		func() { // the publisher is cut off, and comes back
			p.halt()
			p.conn.Close()
			l.n.awaitState(t, "show", l.epoch, "grace")
			p = l.publish(t, units)
		},
		func() { crash(broadcast("/topic/public"), broadcast("/renditions/topic/480p"))() },
		func() { crash(broadcast("/topic/source"))() },
		func() { crash(broadcast("/processing"), broadcast("/processing/process/480p"))() },
		crash("node/settings"),
		func() { // another one takes his place
			was := p
			p = l.publish(t, units)
			was.halt()
		},
		crash("node/edges/edge/live/show/topic/source", "node/edges/edge/live/show@480p/topic/source"),
		crash("node/edges/edge/live/show/relay"),
		crash("node/directory"),
		func() { // the broadcast ends with its supervisor, and its publisher comes back
			crash(broadcast(""))()
			ends(t, "the publisher", p.ended)
			p = l.publish(t, units)
		},
	}
	for i := range switches {
		l.on(t, modes[i%len(modes)])
		each := 1
		if soak(t) == 0 {
			each = 2
		}
		for j := range each {
			events[(i*each+j)%len(events)]()
			l.goOn(t, 800)
		}
		l.off(t)
	}
}

// crash makes an actor fail.
func (n *node) crash(t *testing.T, path string) {
	t.Helper()
	if status := n.drill(t, path, "crash"); status != http.StatusNoContent {
		t.Fatalf("crash of %s: %d", path, status)
	}
}
