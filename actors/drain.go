package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/ingest"
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

	drainPulses = int(drainTime / drainTick)
	drainReason = "the node is draining"
)

// Drained says what a draining node has left.
type Drained struct {
	// Draining is whether it drains.
	Draining            bool
	Broadcasts, Viewers int
	// Feeds are the edges that it keeps for other nodes only, who follow them.
	Feeds int
}

// DrainOrder says how a node drains.
type DrainOrder struct {
	// Off ends the draining. The rest counts without it.
	Off bool
	// Move has publishers be told to go elsewhere, if there is somewhere, and let go after a while.
	Move bool
}

// Drain has the node take nobody new and let its viewers go, within seconds; broadcasts go on until
// their publishers leave, by themselves or as they are told to.
func (n *Node) Drain(order DrainOrder) {
	was := n.draining.Swap(!order.Off)
	if was == !order.Off && !order.Move {
		return
	}
	n.tree.log().Info("draining", slog.Bool("on", !order.Off), slog.Bool("move", order.Move))
	n.tree.system.Root.Send(n.drainer, &order)
}

// Drained tells how far draining has come.
func (n *Node) Drained() Drained {
	census := n.tree.Runtime.Census
	return Drained{
		Draining:   n.draining.Load(),
		Broadcasts: len(census.PIDs("broadcast")), Viewers: len(census.PIDs("viewer")),
		Feeds: feeds(census.PIDs("pin")),
	}
}

// feeds counts the edges that are kept for nodes which follow them, and for nothing else: those of
// a standby are followed as long as it is one.
func feeds(pins []string) int {
	followed := map[string]bool{}
	for _, id := range pins {
		at := strings.LastIndexByte(id, '@')
		rendition, who, _ := strings.Cut(id[at+1:], "/")
		edge := id[:at+1] + rendition
		only, known := followed[edge]
		followed[edge] = strings.HasPrefix(who, "peer/") && (only || !known)
	}
	count := 0
	for _, only := range followed {
		if only {
			count++
		}
	}
	return count
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

// publishElsewhere names where a key can be published but here, "" if nowhere.
func (n *Node) publishElsewhere(key string) string {
	if n.tree.Elsewhere == nil {
		return ""
	}
	return n.tree.Elsewhere(key, true)
}

// drainPulse is the time to let go of a few more.
type drainPulse struct{ turn int }

// drainer lets viewers go, and publishers if they are to move, a few at a time.
type drainer struct {
	census     *supervise.Census
	elsewhere  func(key string) string // where a key is published
	turn       int                     // counts the orders: a pulse of a former one is void
	move       bool
	total      int // viewers at the begin
	publishers int // and these
	pulses     int // since then
}

// Receive implements actor.Actor.
func (d *drainer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *DrainOrder:
		d.turn++
		d.move, d.pulses = msg.Move, 0
		d.total, d.publishers = len(d.census.PIDs("viewer")), len(d.census.PIDs(ingest.Name))
		if !msg.Off {
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
	if d.move {
		for _, id := range d.due(ingest.Name, d.publishers) {
			ctx.Send(ctx.ActorSystem().NewLocalPID(id), &ingest.Move{To: d.elsewhere, Reason: drainReason})
		}
	}
	for _, id := range d.due("viewer", d.total) {
		i := strings.LastIndex(id, "/viewer/")
		if i < 0 {
			continue
		}
		ctx.Send(ctx.ActorSystem().NewLocalPID(id[:i]), &supervise.StopChild{
			Name: id[i+1:], Reason: drainReason,
		})
	}
	pause := drainTick
	if d.pulses >= drainPulses {
		pause = drainRest
	}
	supervise.After(ctx, pause, &drainPulse{turn: d.turn})
}

// due are those of a kind who are to go by now, of so many at the begin.
func (d *drainer) due(kind string, total int) []string {
	stay := 0
	if d.pulses < drainPulses {
		stay = total * (drainPulses - d.pulses) / drainPulses
	}
	all := d.census.PIDs(kind)
	return all[:max(0, len(all)-stay)]
}
