package link

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// follower is an edge's topic at the origin: it has what sources publish, somewhat later, of all
// epochs in one ring.
type follower struct {
	machine *topic.Machine
	tap     *tap
	waiting []*topic.Unit
}

func newEdgeRing() *follower {
	ring := topic.NewRing(topic.Limits{Bytes: 1 << 30, Time: 1000 * media.Second})
	return &follower{machine: topic.NewMachine(ring), tap: &tap{ring: ring}}
}

// take has it get n of the units that wait, all of them if n is negative.
func (f *follower) take(t *testing.T, n int) {
	t.Helper()
	for ; n != 0 && len(f.waiting) > 0; n-- {
		if _, err := f.machine.Push(f.waiting[0]); err != nil {
			t.Fatal(err)
		}
		f.waiting = f.waiting[1:]
	}
	f.tap.ring.Tell()
}

// TestSwitchingRings has a subscription go to and fro between the rings of a broadcast's epochs and
// that of the edge which follows it, which lags behind, while the connection breaks now and then.
// Nothing is lost on the way, nothing comes twice.
func TestSwitchingRings(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runSwitches(t, seeded(seed)) })
		})
	}
}

func runSwitches(t *testing.T, rng *rand.Rand) {
	o, e, edge := newOrigin(), newEdge(t), newEdgeRing()
	r := e.subscribe("a")
	limits := topic.Limits{Bytes: 1 << 30, Time: 1000 * media.Second}
	var sent []*topic.Unit
	var s *source
	next := func(epoch uint64) {
		var dts media.Time
		if s != nil {
			dts = s.dts
		}
		s = o.begin("a", epoch, limits)
		s.dts = dts
		s.gop = 4 + rng.IntN(10)
	}
	next(1)
	c := connect(t, o, e, 1<<20, time.Hour)
	synctest.Wait()
	s.frames(3, false) // whoever has nothing yet may begin later
	synctest.Wait()
	sent, edge.waiting = append(sent, s.sent...), append(edge.waiting, s.sent...)
	for range 150 {
		before := len(s.sent)
		switch n := rng.IntN(20); {
		case n == 0: // the edge has got all of an epoch before the next begins
			edge.take(t, -1)
			synctest.Wait()
			next(s.tap.epoch + 1)
			before = 0
		case n == 1:
			o.outlet.attach("a", "", edge.tap)
		case n == 2:
			o.outlet.attach("a", "", s.tap)
		case n == 3:
			c.close(t)
			c = connect(t, o, e, 1<<20, time.Hour)
			synctest.Wait()
		case n < 8:
			edge.take(t, rng.IntN(6))
		default:
			s.frames(1+rng.IntN(3), false)
		}
		sent = append(sent, s.sent[before:]...)
		edge.waiting = append(edge.waiting, s.sent[before:]...)
		if rng.IntN(3) > 0 {
			synctest.Wait()
		}
	}
	edge.take(t, -1)
	synctest.Wait()
	pass(time.Second)
	same(t, r, sent)
	c.close(t)
	if n := edge.tap.ring.Watchers(); n != 0 {
		t.Errorf("%d watchers are left", n)
	}
}
