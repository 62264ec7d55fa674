package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/headwater-live/headwater/actors/directory"
)

// plan is what a seed draws before the run begins. What happens in it is drawn as it goes on.
type plan struct {
	policy        directory.Policy
	grace, linger time.Duration
	window        time.Duration
	ringBytes     int
	ringTime      time.Duration
	wait, behind  time.Duration
	broadcasts    int
	viewers       int           // of each broadcast
	faults        time.Duration // how long there are faults
	calm          bool          // no faults at all, and no slow viewers: nothing may be left out
	every         time.Duration // faults come about so often
}

// calm is how long no faults happen before everybody has to be served again.
const calm = 15 * time.Second

func drawPlan(r *rand.Rand) plan {
	pick := func(d ...time.Duration) time.Duration { return d[r.IntN(len(d))] }
	p := plan{
		grace:  pick(2*time.Second, 5*time.Second, 9*time.Second),
		linger: pick(500*time.Millisecond, 3*time.Second),
		window: pick(0, 0, 20*time.Millisecond, 150*time.Millisecond),
		wait:   pick(3*time.Second, 12*time.Second),
		behind: pick(0, 1500*time.Millisecond, 4*time.Second),

		ringBytes: 64<<10 + r.IntN(256<<10), ringTime: pick(time.Second, 3*time.Second, 8*time.Second),
		broadcasts: 1 + r.IntN(3), viewers: 1 + r.IntN(4),
		faults: time.Duration(10+r.IntN(15)) * time.Second,
		calm:   r.IntN(5) == 0,
		every:  pick(300*time.Millisecond, time.Second, 3*time.Second),
	}
	if r.IntN(4) == 0 {
		p.policy = directory.Reject
	}
	return p
}

// stall is how long a publisher's network may stall. What he then sends at once is more than a ring
// keeps, or a viewer may be behind, unless nothing is to be left out.
func (p plan) stall() time.Duration {
	longest := 4 * time.Second
	if !p.calm {
		return longest
	}
	if p.behind > 0 {
		longest = min(longest, p.behind)
	}
	return min(longest, p.ringTime) - 500*time.Millisecond
}

// String is the plan's line in the trace.
func (p plan) String() string {
	return fmt.Sprintf("policy=%d grace=%v linger=%v window=%v ring=%d/%v wait=%v behind=%v "+
		"broadcasts=%d viewers=%d faults=%v calm=%v every=%v", p.policy, p.grace, p.linger, p.window,
		p.ringBytes, p.ringTime, p.wait, p.behind, p.broadcasts, p.viewers, p.faults, p.calm, p.every)
}

// key is one broadcast's key, and who publishes it.
type key struct {
	name    string
	audio   bool
	video   bool
	session *session // the publisher that is connected
	tries   int      // publishers that are connecting
	leaves  bool     // he may leave by himself
}

// populate draws the publishers and viewers.
func (w *world) populate() {
	for i := range w.plan.broadcasts {
		k := &key{name: fmt.Sprintf("live/%c", 'a'+i), audio: w.rng.IntN(8) > 0, leaves: true}
		k.video = !k.audio || w.rng.IntN(8) > 0
		w.keys = append(w.keys, k)
		w.in(w.upTo(4*time.Second), func() { w.connect(k) })
		for range w.plan.viewers {
			w.in(w.upTo(w.plan.faults), func() { w.join(k, 0) })
		}
	}
	if !w.plan.calm {
		w.in(w.upTo(2*w.plan.every), w.fault)
	}
	w.in(time.Second, w.look)
}

// upTo draws a time below d.
func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.rng.Int64N(int64(d))) }

// faulty tells whether faults still happen.
func (w *world) faulty() bool {
	return !w.plan.calm && time.Since(w.trace.began) < w.plan.faults && !w.over
}

// disperse has everybody leave within a second.
func (w *world) disperse() {
	w.over = true
	for _, k := range w.keys {
		if k.session != nil {
			s := k.session
			w.in(w.upTo(time.Second), func() { w.leave(s, "the show is over") })
		}
	}
	for _, v := range w.sortedViewers() {
		w.in(w.upTo(time.Second), v.leave)
	}
}

// farewell is how long it takes until nobody is expected to be there any more.
func (w *world) farewell() time.Duration {
	return w.plan.grace + w.plan.linger + w.plan.wait + 20*time.Second
}
