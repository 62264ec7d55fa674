package gate

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

var (
	seed  = flag.Uint64("gate.seed", 0, "run this seed alone")
	seeds = flag.Int("gate.seeds", 500, "how many seeds to run")
)

// chaos drives a stage at random: workers lag, crash, lose outputs and do not hear; settings change
// at any time; the source has gaps.
type chaos struct {
	*stage
	rng     *rand.Rand
	queues  map[string][]*process.Output
	hides   []bool // by version
	checked map[string]int
	broken  string
}

// TestNothingLeaks holds, whatever happens, that no picture passes at or after the time for which a
// blur was reported to hold, unless it was filtered under that blur or a later change; and that
// what passes decodes.
func TestNothingLeaks(t *testing.T) {
	first, last := uint64(1), uint64(*seeds)
	if *seed != 0 {
		first, last = *seed, *seed
	}
	for n := first; n <= last; n++ {
		c := &chaos{
			stage: newStage(t), rng: rand.New(rand.NewPCG(n, 1)), queues: map[string][]*process.Output{},
			checked: map[string]int{},
		}
		c.run()
		if c.broken != "" {
			t.Fatalf("seed %d: %s\nreplay: go test ./actors/gate -run TestNothingLeaks -gate.seed=%d",
				n, c.broken, n)
		}
	}
}

func (c *chaos) run() {
	c.m.hybrid = c.rng.IntN(4) == 0
	c.change()
	c.begin()
	for range 300 {
		c.act()
		c.check()
		if c.broken != "" {
			return
		}
	}
	c.calm()
}

func (c *chaos) act() {
	switch c.rng.IntN(40) {
	case 0, 1, 2:
		c.change()
	case 3:
		c.seq += uint64(c.rng.IntN(3))
	case 4, 5:
		c.each(func(w *fake) { c.hello(w.name) })
	case 6, 7, 8:
		c.each(func(w *fake) { c.ready(w.name) })
	case 9: // an output is lost
		c.each(func(w *fake) { w.seq++ })
	case 10: // a worker does not hear of the next order
		c.each(func(w *fake) { w.pid = pid(fmt.Sprint("deaf", c.rng.Uint64())) })
	case 11:
		c.up("480p")
	case 12:
		c.now = c.now.Add(time.Duration(c.rng.IntN(2000)) * time.Millisecond)
		c.do(c.m.Tick)
	case 13: // what a worker has made is lost with it
		c.queues = map[string][]*process.Output{}
	case 14:
		c.each(func(w *fake) { c.stage.ends(w.name) })
	case 15:
		c.do(func() { c.m.Gone(pid("480p")) })
	default:
		c.frame()
		c.work()
		c.deliver(c.rng.IntN(4))
	}
}

func (c *chaos) each(do func(*fake)) {
	for _, name := range []string{Main, "480p"} {
		if w := c.workers[name]; w != nil && c.rng.IntN(2) == 0 {
			do(w)
		}
	}
}

func (c *chaos) change() {
	c.settings(func(n *settings.Settings) {
		switch c.rng.IntN(5) {
		case 0, 1:
			n.Blur.Rects = nil
			for range 1 + c.rng.IntN(3) {
				n.Blur.Rects = append(n.Blur.Rects, settings.Rect{W: 0.1, H: 0.1})
			}
		case 2:
			n.Blur.Rects = nil
		case 3:
			n.Always = c.rng.IntN(2) == 0
		case 4:
			n.Renditions = nil
			if c.rng.IntN(2) == 0 {
				n.Renditions = []settings.Rendition{{Name: "480p", Height: 480, Bitrate: 1_000_000}}
			}
		}
		c.hides = append(c.hides, len(n.Blur.Rects) > 0)
	})
}

// work has each worker make its form of the latest picture, to be delivered later.
func (c *chaos) work() {
	for _, name := range []string{Main, "480p"} {
		w, n := c.workers[name], c.n-1
		if w == nil || w.order == nil || !w.order.Emit || c.pts(n) < w.order.From {
			continue
		}
		idr := w.wantIDR || n%gop == 0
		w.wantIDR = false
		o := w.output(c.pts(n), idr)
		o.Incarnation = w.incarnation
		c.queues[name] = append(c.queues[name], o)
	}
}

func (c *chaos) deliver(n int) {
	for _, name := range []string{Main, "480p"} {
		for range min(n, len(c.queues[name])) {
			o := c.queues[name][0]
			c.queues[name] = c.queues[name][1:]
			c.do(func() { c.m.Output(o) })
		}
	}
}

// check looks at what has passed since the last time.
func (c *chaos) check() {
	for lane, units := range c.passed {
		for _, u := range units[c.checked[lane]:] {
			if u.Kind == media.Video && u.Role != media.SequenceHeader {
				c.judge(lane, u)
			}
		}
		c.checked[lane] = len(units)
	}
	for reason, n := range c.refused {
		if !strings.Contains(reason, topic.ErrNoKeyframe.Error()) { // after a gap of the source
			c.broken = fmt.Sprintf("topics refuse %d units: %s", n, reason)
		}
	}
}

func (c *chaos) judge(lane string, u *topic.Unit) {
	if len(c.holds) == 0 {
		return
	}
	h := c.holds[len(c.holds)-1]
	if !c.hides[h.Version] || u.PTS() < h.PTS {
		return
	}
	mark := markOf(u)
	var version uint64
	if i := strings.Index(mark, " v"); i > 0 {
		if _, err := fmt.Sscanf(mark[i:], " v%d", &version); err != nil {
			c.broken = err.Error()
		}
		if version >= h.Version {
			return
		}
	}
	for _, hides := range c.hides[h.Version+1:] { // the blur was ended meanwhile
		if !hides && mark == "source" {
			return
		}
	}
	c.broken = fmt.Sprintf("%s shows %q at %v; version %d holds from %v", lane, mark, u.PTS(),
		h.Version, h.PTS)
}

// calm holds that pictures come again once nothing goes wrong any more.
func (c *chaos) calm() {
	c.queues = map[string][]*process.Output{}
	c.refused = map[string]int{}
	c.up("480p")
	for name, w := range c.workers {
		w.pid = pid("process/" + name)
		c.hello(name)
		c.ready(name)
	}
	for n := range 4 * gop {
		before := len(c.pictures("public"))
		for name, w := range c.workers {
			if w.incarnation == 0 { // it has just been started again
				c.hello(name)
				c.ready(name)
			}
		}
		c.frames(1)
		c.now = c.now.Add(100 * time.Millisecond)
		c.check()
		if c.broken != "" {
			return
		}
		if n > 2*gop && len(c.pictures("public")) == before {
			c.broken = "no picture comes though all is well: " + c.shown("public")
		}
	}
	if last := c.holds[len(c.holds)-1]; last.Version != c.m.settings.Version {
		c.broken = fmt.Sprintf("version %d is not reported to hold, only %d", c.m.settings.Version,
			last.Version)
	}
}
