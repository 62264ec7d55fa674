package link

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

const roomy = 1 << 20 // bytes on the wire

// Who subscribes before the broadcast is there waits for it, and gets all of it, with the next
// epoch behind the one before.
func TestWaitsAndFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, e := newOrigin(), newEdge(t)
		r := e.subscribe("live/a")
		c := connect(t, o, e, roomy, time.Second)
		pass(5 * time.Second)
		if at := e.table.heard("live/a"); !at.IsZero() {
			t.Errorf("heard at %v, and nothing came", at)
		}
		first := o.begin("live/a", 7, topic.DefaultLimits())
		first.frames(90, true)
		second := o.begin("live/a", 9, topic.DefaultLimits())
		second.dts = first.dts
		second.frames(90, true)
		synctest.Wait()
		same(t, r, append(first.sent, second.sent...))
		ago := time.Since(e.table.heard("live/a"))
		if ago > 100*time.Millisecond || !e.table.heard("live/b").IsZero() {
			t.Errorf("heard %v ago", ago)
		}
		c.close(t)
	})
}

// Who comes late begins with the headers and the newest GOP.
func TestLateSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, e := newOrigin(), newEdge(t)
		s := o.begin("live/a", 1, topic.DefaultLimits())
		s.frames(75, false)
		c := connect(t, o, e, roomy, time.Second)
		r := e.subscribe("live/a")
		synctest.Wait()
		s.frames(5, true)
		synctest.Wait()
		same(t, r, append(s.sent[:2:2], s.sent[2+2*60:]...))
		c.close(t)
	})
}

// A connection that is lost costs nothing while the ring holds what was missed.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, e := newOrigin(), newEdge(t)
		r := e.subscribe("live/a")
		s := o.begin("live/a", 1, topic.DefaultLimits())
		for range 5 {
			c := connect(t, o, e, roomy, time.Minute)
			s.frames(40, true)
			c.cut()
			c.down(t)
			s.frames(40, false)
		}
		c := connect(t, o, e, roomy, time.Minute)
		synctest.Wait()
		same(t, r, s.sent)
		if gaps := r.machine.Gaps(); gaps != 0 {
			t.Errorf("%d gaps", gaps)
		}
		c.close(t)
	})
}

// Whoever hears nothing for 3 s is done with the other, and both ends know soon.
func TestSilence(t *testing.T) {
	for _, held := range [][]int{{toEdge}, {toOrigin}, {toEdge, toOrigin}} {
		t.Run(fmt.Sprint(held), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, e := newOrigin(), newEdge(t)
				c := connect(t, o, e, roomy, time.Second)
				pass(time.Minute) // a link without a broadcast lives
				for _, direction := range held {
					c.set(direction, func(h *half) { h.held = true })
				}
				began := time.Now()
				reasons := c.down(t)
				if took := time.Since(began); took < 2*time.Second || took > 4*time.Second {
					t.Errorf("it took %v", took)
				}
				if reasons[0] != Silent && reasons[1] != Silent {
					t.Errorf("the reasons are %v", reasons)
				}
			})
		})
	}
}

// A wire that carries a tenth of a broadcast has whole GOPs left out, and what comes always
// decodes; a broadcast beside it that fits goes on, and so does another edge.
func TestSlowLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, slow := newOrigin(), newEdge(t)
		s := o.begin("live/a", 1, topic.DefaultLimits())
		s.size = 4000
		c := connect(t, o, slow, 64<<10, time.Second)
		c.set(toEdge, func(h *half) { h.rate = 24_000 }) // of 240 kB/s
		r := slow.subscribe("live/a")
		other, fast := newOrigin(), newEdge(t)
		other.rings = o.rings
		beside := connect(t, other, fast, 64<<10, time.Second)
		all := fast.subscribe("live/a")
		synctest.Wait()
		s.frames(30*60, true)
		synctest.Wait()
		same(t, all, s.sent)
		if c.counts.Running.Load() == 0 {
			t.Fatal("the slow link is dead")
		}
		checkDecodes(t, r)
		if n := slow.at(r); n < len(s.sent)/20 || n > len(s.sent)/5 {
			t.Errorf("%d units of %d arrived", n, len(s.sent))
		}
		c.close(t)
		beside.close(t)
	})
}

// checkDecodes holds that no picture refers to one that is missing.
func checkDecodes(t *testing.T, r *received) {
	t.Helper()
	var latest *topic.Unit
	for i, u := range r.units {
		if latest != nil && u.Role == media.Frame &&
			(latest.Epoch != u.Epoch || u.Seq-latest.Seq > 2) {
			t.Errorf("unit %d is %d.%d, the picture before it %d.%d", i, u.Epoch, u.Seq,
				latest.Epoch, latest.Seq)
		}
		if u.Kind == media.Video {
			latest = u
		}
	}
}

// Many broadcasts share a wire, and each gets its turn.
func TestManyBroadcasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, e := newOrigin(), newEdge(t)
		var sources []*source
		var got []*received
		for i := range 200 {
			key := fmt.Sprint("live/", i)
			got = append(got, e.subscribe(key))
			sources = append(sources, o.begin(key, 1, topic.DefaultLimits()))
		}
		c := connect(t, o, e, 64<<10, time.Minute)
		synctest.Wait()
		for range 10 {
			for _, s := range sources {
				s.frames(1, false)
			}
			pass(33 * time.Millisecond)
		}
		synctest.Wait()
		for i, r := range got {
			same(t, r, sources[i].sent)
		}
		c.close(t)
	})
}

// A seal is at the edge before any unit behind it, however slow the link is, and again after a
// reconnect.
func TestSealComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, e := newOrigin(), newEdge(t)
		s := o.begin("live/a", 1, topic.DefaultLimits())
		c := connect(t, o, e, 4<<10, time.Minute)
		c.set(toEdge, func(h *half) { h.rate = 20_000 })
		r := e.subscribe("live/a")
		synctest.Wait()
		s.frames(100, false)
		seal := s.machine.Seal(&topic.Seal{})
		s.tap.ring.Tell()
		pass(time.Second)
		if r.ring.Entry() != nil && len(r.seals) > 0 {
			t.Error("an edge that is sealed has a place to begin")
		}
		c.cut()
		c.down(t)
		s.frames(30, false)
		c = connect(t, o, e, roomy, time.Minute)
		synctest.Wait()
		if len(r.seals) == 0 || *r.seals[len(r.seals)-1] != *seal {
			t.Fatalf("the seals are %v", r.seals)
		}
		if entry := r.ring.Entry(); entry == nil || r.machine.Snapshot()[2].Seq <= seal.Seq {
			t.Errorf("a late joiner begins with %v", r.machine.Snapshot()[2].Seq)
		}
		c.close(t)
	})
}

// Whoever unsubscribes gets nothing more and leaves nothing behind; whoever subscribes anew begins
// anew.
func TestUnsubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, e := newOrigin(), newEdge(t)
		s := o.begin("live/a", 1, topic.DefaultLimits())
		c := connect(t, o, e, roomy, time.Second)
		r := e.subscribe("live/a")
		synctest.Wait()
		s.frames(10, true)
		e.table.unsubscribe(pidOf("live/a"))
		synctest.Wait()
		n := e.at(r)
		s.frames(10, true)
		synctest.Wait()
		if now := e.at(r); now != n || len(o.outlet.feeds) != 0 {
			t.Errorf("%d units and then %d, %d feeds", n, now, len(o.outlet.feeds))
		}
		again := e.subscribe("live/a")
		synctest.Wait()
		if e.at(again) == 0 || again.machine.Gaps() != 0 {
			t.Errorf("%d units, %d gaps", e.at(again), again.machine.Gaps())
		}
		c.close(t)
	})
}

// A broadcast that is gone and comes back, as after a restart of the directory, is gone on with.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, e := newOrigin(), newEdge(t)
		s := o.begin("live/a", 1, topic.DefaultLimits())
		c := connect(t, o, e, roomy, time.Minute)
		r := e.subscribe("live/a")
		synctest.Wait()
		s.frames(20, true)
		o.outlet.finish("live/a")
		synctest.Wait()
		s.frames(40, true)
		o.outlet.attach("live/a", "", s.tap)
		synctest.Wait()
		same(t, r, s.sent)
		c.close(t)
	})
}
