package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// ErrDraining says that the node takes nobody new.
var ErrDraining = errors.New("this node is draining")

const (
	// drainTime is how long the viewers of a draining node are let go over: all at once would be a
	// crowd before the doors of the next.
	drainTime = 5 * time.Second
	drainTick = 100 * time.Millisecond
	// drainRest is how often who slipped in is looked for then.
	drainRest = time.Second
)

// Drained says what a draining node has left.
type Drained struct {
	// Draining is whether it drains.
	Draining            bool
	Broadcasts, Viewers int
}

// Drain has the node take nobody new and let its viewers go, within seconds; broadcasts go on until
// their publishers leave. Not on ends that.
func (n *Node) Drain(on bool) {
	if n.draining.Swap(on) == on {
		return
	}
	n.tree.log().Info("draining", slog.Bool("on", on))
	n.tree.system.Root.Send(n.drainer, &drainOrder{on: on})
}

// Drained tells how far draining has come.
func (n *Node) Drained() Drained {
	census := n.tree.Runtime.Census
	return Drained{
		Draining:   n.draining.Load(),
		Broadcasts: len(census.PIDs("broadcast")), Viewers: len(census.PIDs("viewer")),
	}
}

// admit refuses whoever comes to a draining node, and names a better one.
func (n *Node) admit(key string, publish bool) error {
	if !n.draining.Load() {
		return nil
	}
	if n.tree.Elsewhere != nil {
		if to := n.tree.Elsewhere(key, publish); to != "" {
			return fmt.Errorf("%w; go to %s", ErrDraining, to)
		}
	}
	return fmt.Errorf("%w", ErrDraining)
}

type (
	drainOrder struct{ on bool }
	drainPulse struct{ turn int }
)

// drainer lets viewers go, a few at a time.
type drainer struct {
	census *supervise.Census
	turn   int // counts the orders: a pulse of a former one is void
	total  int // viewers at the begin
	pulses int // since then
}

// Receive implements actor.Actor.
func (d *drainer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *drainOrder:
		d.turn++
		d.total, d.pulses = len(d.census.PIDs("viewer")), 0
		if msg.on {
			d.pulse(ctx)
		}
	case *drainPulse:
		if msg.turn == d.turn {
			d.pulse(ctx)
		}
	}
}

// pulse lets go of as many as are due by now. Who slipped in as it began goes last.
func (d *drainer) pulse(ctx actor.Context) {
	d.pulses++
	stay := 0
	if last := int(drainTime / drainTick); d.pulses < last {
		stay = d.total * (last - d.pulses) / last
	}
	viewers := d.census.PIDs("viewer")
	for _, id := range viewers[:max(0, len(viewers)-stay)] {
		i := strings.LastIndex(id, "/viewer/")
		if i < 0 {
			continue
		}
		ctx.Send(ctx.ActorSystem().NewLocalPID(id[:i]), &supervise.StopChild{
			Name: id[i+1:], Reason: "the node is draining",
		})
	}
	pause := drainTick
	if stay == 0 {
		pause = drainRest
	}
	supervise.After(ctx, pause, &drainPulse{turn: d.turn})
}
