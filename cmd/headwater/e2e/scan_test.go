package e2e

import (
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// span is when something is blurred, by PTS: from the first acknowledgement that it is, up to the
// acknowledgement that it is not any more.
type span struct{ from, to int64 }

// spans are kept by who commands.
type spans []span

// on notes that from a PTS on pictures are blurred.
func (s *spans) on(pts int64) {
	if n := len(*s); n > 0 && (*s)[n-1].to == math.MaxInt64 {
		return // they were
	}
	*s = append(*s, span{pts, math.MaxInt64})
}

// off notes that from a PTS on they are not.
func (s *spans) off(pts int64) {
	if n := len(*s); n > 0 {
		(*s)[n-1].to = min((*s)[n-1].to, pts)
	}
}

// have tells whether a PTS is in one of the spans.
func (s *spans) have(pts int64) bool {
	return slices.ContainsFunc(*s, func(one span) bool { return pts >= one.from && pts < one.to })
}

// leaks are the readings of the pictures that had to be blurred and are not.
func (s *spans) leaks(all []reading) (hidden int, found []reading) {
	for _, r := range all {
		if !s.have(r.pts) {
			continue
		}
		hidden++
		if r.contrast > unreadable {
			found = append(found, r)
		}
	}
	return hidden, found
}

// crew is viewers who come and go by themselves, each with all that it received, and the snapshots
// that somebody takes all the while.
type crew struct {
	n     *node
	mu    sync.Mutex
	all   []*viewer
	shots []photo
	stop  chan struct{}
	done  sync.WaitGroup
}

// photo is what was read in a snapshot.
type photo struct {
	reading
	name       string
	asked, got time.Time
}

// The crew's turns.
const (
	joinEvery = 350 * time.Millisecond
	stay      = 2500 * time.Millisecond

	photoEvery = 200 * time.Millisecond
)

// join has viewers of the broadcasts come, one after the other, in turn by either protocol. Each
// stays for a while.
func join(t *testing.T, n *node, keys ...string) *crew {
	t.Helper()
	c := &crew{n: n, stop: make(chan struct{})}
	c.each(joinEvery, func(i int) {
		c.done.Go(func() { c.visit(i, keys[i/2%len(keys)]) })
	})
	t.Cleanup(c.end)
	return c
}

// each does something again and again until the crew's end.
func (c *crew) each(pause time.Duration, what func(i int)) {
	c.done.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				what(i)
			case <-c.stop:
				return
			}
		}
	})
}

// photograph takes snapshots, which m is looked for in, of the renditions in turn.
func (c *crew) photograph(m *marker, key string, queries ...string) {
	c.each(photoEvery, func(i int) {
		query := queries[i%len(queries)]
		p := photo{name: "snapshot.jpg" + query, asked: time.Now()}
		response, err := c.n.client.Get(
			"http://" + c.n.http + "/v1/broadcasts/live/" + key + "/snapshot.jpg" + query)
		if err != nil {
			return
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return
		}
		picture, err := jpeg.Decode(response.Body)
		if err != nil {
			return
		}
		p.got = time.Now()
		p.pts, _ = strconv.ParseInt(response.Header.Get("Headwater-Pts-Ms"), 10, 64)
		img, ok := picture.(*image.YCbCr)
		if !ok {
			return
		}
		p.width, p.height = img.Rect.Dx(), img.Rect.Dy()
		p.contrast = m.contrastIn(img.Y, img.YStride, p.width, p.height)
		c.mu.Lock()
		c.shots = append(c.shots, p)
		c.mu.Unlock()
	})
}

// visit is one viewer's stay.
func (c *crew) visit(i int, key string) {
	addr, protocol := c.n.rtmp, "rtmp"
	if i%2 == 0 {
		addr, protocol = c.n.http, "http-flv"
	}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		return
	}
	v := &viewer{name: fmt.Sprintf("visitor %d by %s of %s", i, protocol, key), conn: conn}
	c.mu.Lock()
	c.all = append(c.all, v)
	c.mu.Unlock()
	leave := time.AfterFunc(stay, func() { conn.Close() })
	defer leave.Stop()
	if i%2 == 0 {
		_ = v.playFLV(key) // it ends as it is closed
	} else {
		_ = v.playRTMP(key)
	}
	conn.Close()
}

// end waits until the last viewer has left.
func (c *crew) end() {
	if !over(c.stop) {
		close(c.stop)
	}
	c.done.Wait()
}

// scanned counts what a scan has seen.
type scanned struct {
	viewers, pictures, hidden, shown int
	least, greatest                  float64 // contrast of what was not to be hidden, of what was
}

// String is the scan's result, for people.
func (s *scanned) String() string {
	return fmt.Sprintf("%d recordings, %d pictures: %d had to be hidden, contrast %.1f at most; "+
		"%d not, %.1f at least", s.viewers, s.pictures, s.hidden, s.greatest, s.shown, s.least)
}

// scan reads the marker in all that viewers received. Whatever is readable and had to be hidden is
// a leak, and fails the test.
func (s *spans) scan(t *testing.T, m *marker, viewers []*viewer) *scanned {
	t.Helper()
	sum := &scanned{least: math.Inf(1)}
	for _, v := range viewers {
		var all []reading
		// What is damaged on purpose does not decode; what came out nonetheless counts.
		_ = decodePictures(v.got(), m.reader(&all))
		hidden, found := s.leaks(all)
		for _, r := range found {
			t.Errorf("%s: the marker can be read at %d ms of %dx%d: contrast %.1f",
				v.name, r.pts, r.width, r.height, r.contrast)
		}
		sum.viewers++
		sum.pictures += len(all)
		sum.hidden += hidden
		sum.shown += len(all) - hidden
		for _, r := range all {
			if s.have(r.pts) {
				sum.greatest = max(sum.greatest, r.contrast)
			} else {
				sum.least = min(sum.least, r.contrast)
			}
		}
	}
	return sum
}

// TestScan makes sure that the scanner finds what there is: the marker in a stream that nobody
// blurs, and nothing where it was not to be hidden.
func TestScan(t *testing.T) {
	t.Parallel()
	var all []reading
	if err := decodePictures(moving.units(t), moving.marker.reader(&all)); err != nil {
		t.Fatal(err)
	}
	if len(all) < 25*shotLength-2 {
		t.Errorf("%d pictures of %d s", len(all), shotLength)
	}
	var s spans
	s.on(1000)
	s.off(2000)
	s.on(3000)
	s.on(3500)
	hidden, found := s.leaks(all)
	want := len(between(all, 1000, 2000)) + len(between(all, 3000, math.MaxInt64))
	if hidden != want || len(found) != want {
		t.Errorf("%d pictures had to be hidden, %d leaks found, want %d of both",
			hidden, len(found), want)
	}
	least, _ := extremes(found)
	if least < 2*readable {
		t.Errorf("the marker can hardly be read: %.1f", least)
	}
	t.Logf("%d leaks of %d pictures, contrast %.1f at least", len(found), len(all), least)
}
