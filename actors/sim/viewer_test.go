package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// viewer stands where an edge's viewer stands in the tree and follows the ring as that one's writer
// does, but by messages instead of a goroutine, and hands what it reads to a check.
type viewer struct {
	world  *world
	key    *key
	pid    string
	n      int
	until  time.Time // when he wants to leave
	slow   time.Duration
	check  check
	reader *topic.Reader
	ring   *topic.Ring
	pulled <-chan struct{} // the turn that it waits for the end of
	ctx    actor.Context
	last   time.Time // when the last unit came
	latest mark      // its mark, if it was a frame
	up     bool
	over   bool
	left   bool
	turns  int
}

type (
	pull  struct{}
	leave struct{ reason string }
)

// batch is how much a viewer reads at once.
const (
	batchUnits = 16
	batchBytes = 8 << 10
)

// join has a viewer of the key come.
func (w *world) join(k *key, until time.Duration) {
	if w.over {
		return
	}
	w.counts.viewers++
	v := &viewer{
		world: w, key: k, n: w.counts.viewers, check: check{ledger: w.ledger}, last: time.Now(),
	}
	end := w.plan.faults + calm + time.Minute
	if w.rng.IntN(2) == 0 {
		end = until + w.upTo(2*w.plan.faults)
	}
	v.until = time.Now().Add(end)
	if !w.plan.calm && w.rng.IntN(3) == 0 {
		v.slow = 20*time.Millisecond + w.upTo(700*time.Millisecond)
	}
	w.trace.add(k.name, "join", fmt.Sprint("viewer ", v.n, " slow ", v.slow))
	w.client(contextOf(v), func(ctx context.Context) error {
		return w.node.Play(ctx, k.name, nil)
	}, v.granted)
}

// starting implements client: it takes the place of the viewer that the spec would start.
func (v *viewer) starting(w *world, spec *supervise.Spec) {
	if spec.Kind != "viewer" {
		return
	}
	v.pid = "node/edges/edge/" + v.key.name + "/viewers/" + spec.Name
	w.viewers[v.pid] = v
	source := "node/edges/edge/" + v.key.name + "/topic/source"
	spec.New = w.probed("viewer", func(*supervise.Self) actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) { v.receive(ctx, source) })
	})
}

func (v *viewer) granted(err error) {
	w := v.world
	if err != nil {
		w.trace.add(v.key.name, "no play", err.Error())
		v.ended()
		return
	}
	v.up = true
	w.in(time.Until(v.until), v.leave)
	if w.over {
		v.leave()
	}
}

func (v *viewer) receive(ctx actor.Context, source string) {
	v.ctx = ctx
	ask := func() {
		ctx.Request(actor.NewPID(ctx.Self().Address, source), &topic.GetRing{})
	}
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		ask()
	case *supervise.Rebind:
		if v.ring == nil {
			ask()
		}
	case *topic.Ring:
		v.begin(msg)
	case *pull:
		v.turn()
	case *leave:
		v.end(msg.reason)
	}
}

func (v *viewer) begin(ring *topic.Ring) {
	if v.ring != nil {
		return
	}
	v.ring = ring
	v.reader = topic.NewReader(ring, media.Time(v.world.plan.behind))
	v.turn()
}

// turn reads what there is, then waits for more.
func (v *viewer) turn() {
	if v.over {
		return
	}
	v.turns++
	turn := v.ring.Turn()
	units := v.reader.Next(make([]*topic.Unit, 0, batchUnits), batchBytes)
	if len(units) == 0 {
		v.pause(turn)
		return
	}
	v.last = time.Now()
	for _, u := range v.sabotaged(units) {
		v.deliver(u)
	}
	if v.slow == 0 {
		v.again()
		return
	}
	v.world.in(v.slow, v.again)
}

func (v *viewer) again() {
	if !v.over {
		v.ctx.ActorSystem().Root.Send(v.ctx.Self(), &pull{})
	}
}

// pause waits for more to read, or for the end of what a viewer waits.
func (v *viewer) pause(turn <-chan struct{}) {
	sticky := v.world.sabotage == stickyViewer
	if time.Since(v.last) > v.world.plan.wait && !sticky {
		v.end("there is no such broadcast, or no more")
		return
	}
	v.pulled = turn
}

// wakeViewers has those read on whose turn is over.
func (w *world) wakeViewers() {
	if w.sabotage == deafViewers {
		return
	}
	for _, v := range w.sortedViewers() {
		select {
		case <-v.pulled: // nil while it does not wait
			v.pulled = nil
			v.again()
		default:
		}
	}
}

func (v *viewer) deliver(u *topic.Unit) {
	w := v.world
	w.counts.units++
	w.trace.add(v.pid, "gets", fmt.Sprintf("%d.%d %v %v dts=%d",
		u.Epoch, u.Seq, u.Kind, u.Role, u.DTS.Millis()))
	if err := v.check.unit(u); err != nil {
		w.fail(v.pid, err)
	}
	if m, ok := markOf(u.Kind, u.Body); ok && u.Role != media.SequenceHeader {
		v.latest = m
	}
}

func (v *viewer) sabotaged(units []*topic.Unit) []*topic.Unit {
	switch {
	case v.world.sabotage == loseUnit && v.turns%20 == 0:
		return units[1:]
	case v.world.sabotage == repeatUnit && v.turns%20 == 0:
		return append(units, units[len(units)-1])
	case v.world.sabotage == unseenHeader:
		return slices.DeleteFunc(units, func(u *topic.Unit) bool {
			return u.Role == media.SequenceHeader && u.Kind == media.Audio
		})
	}
	return units
}

// leave has the viewer close his connection.
func (v *viewer) leave() {
	if !v.over && v.up && v.world.sabotage != stickyViewer {
		v.left = true
		v.world.send(v.pid, &leave{"the viewer left"})
	}
}

func (v *viewer) end(reason string) {
	if !v.over {
		v.world.trace.add(v.pid, "end", reason)
		v.ctx.Stop(v.ctx.Self())
	}
}

// ended forgets the viewer; who did not want to leave comes back.
func (v *viewer) ended() {
	w := v.world
	if v.over {
		return
	}
	v.over = true
	delete(w.viewers, v.pid)
	w.counts.jumps += v.check.jumps
	if w.plan.calm && v.check.jumps > 0 {
		w.fail(v.pid, fmt.Errorf("%w: %d times, though nothing has failed", errGap, v.check.jumps))
	}
	if left := time.Until(v.until); !v.left && left > 0 {
		w.in(50*time.Millisecond+w.upTo(500*time.Millisecond), func() { w.join(v.key, left) })
	}
}

// errGap says that units were left out without a reason.
var errGap = errors.New("gap: units are left out")

func (w *world) sortedViewers() []*viewer {
	var out []*viewer
	for _, v := range w.viewers {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *viewer) int { return a.n - b.n })
	return out
}
