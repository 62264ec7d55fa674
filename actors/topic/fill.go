package topic

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// counted is what the metrics have been told of a merge.
type counted struct {
	fates fates
	bytes int
}

// unit takes a unit of an upstream: at once, where it is the next one.
func (t *topic) unit(ctx actor.Context, u *Unit) {
	if !t.merging() || t.merge.idle(u) {
		t.push(ctx, u, t.machine.Push)
		return
	}
	now := time.Now()
	if err := t.merge.unit(u, now); err != nil {
		t.refused(u, err)
		return
	}
	t.release(ctx, now)
}

// merging reports whether units are merged here. What that needs is made with the first one, which
// may be far off: an edge that is kept for others has none.
func (t *topic) merging() bool {
	if t.merge == nil && t.Patience != nil {
		t.merge = &merge{patience: *t.Patience, machine: t.machine}
	}
	return t.merge != nil
}

// fill takes a snapshot, beside what other upstreams bring.
func (t *topic) fill(ctx actor.Context, s *Snapshot) {
	now := time.Now()
	t.merge.snapshot(s.Units, now, t.refused)
	t.release(ctx, now)
}

// release lets in what is to enter by now, and wakes up again while something is held.
func (t *topic) release(ctx actor.Context, now time.Time) {
	for {
		u, anew, ok := t.merge.next(now)
		if !ok {
			break
		}
		in := t.machine.Push
		if anew {
			in = t.machine.Adopt
		}
		t.push(ctx, u, in)
	}
	t.count(counted{fates: t.merge.fates, bytes: t.merge.bytes})
	switch held := len(t.merge.held) > 0; {
	case held && t.overdue == nil:
		t.overdue = &giveUp{}
		t.wake = supervise.After(ctx, t.merge.deadline().Sub(now), t.overdue)
	case !held && t.overdue != nil:
		t.overdue = nil // if it is on its way, it is void
		t.wake.Stop()
	}
}

// giveUp is the end of patience with the oldest hole, unless that is closed by now.
func (t *topic) giveUp(ctx actor.Context, g *giveUp) {
	if g == t.overdue {
		t.overdue = nil
		t.release(ctx, time.Now())
	}
}

// count brings the metrics up to date.
func (t *topic) count(now counted) {
	before := &t.merge.counted
	t.Metrics.fates(before.fates, now.fates)
	t.Metrics.held(now.bytes - before.bytes)
	*before = now
}
