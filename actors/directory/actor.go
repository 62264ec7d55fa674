// Package directory holds the actor that knows which broadcasts a node carries: it grants the right
// to publish a key, one epoch after the other, and tells followers where a broadcast is.
//
// Its memory is what others have told it. When it is restarted, its siblings are told (see
// supervise.Rebind), and topics announce themselves and relays ask again. Only the highest epoch
// that it ever granted outlives a restart: who might still know an epoch of a broadcast that has
// ended may have been restarted too, and no epoch may come twice.
package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// Name is the directory's name in the tree.
const Name = "directory"

const (
	// patience is how long a claimant waits for the former epoch to say how far it came.
	patience = time.Second
	sweep    = time.Minute
)

type (
	silence struct {
		key  string
		turn int
	}
	sweepTick struct{ of *directory }
	// departed comes behind what a topic sent before it ended, which its end itself, a system
	// message, overtakes: how far it came would be told too late.
	departed struct{ topic *actor.PID }
)

// Options make a directory.
type Options struct {
	// ByClock grants epochs by the clock, in milliseconds, where the count of them is behind it:
	// among nodes whose clocks are in step the latest publisher has the highest epoch.
	ByClock bool
}

// New returns the producer of the actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	granted := new(uint64)
	return func(*supervise.Self) actor.Actor {
		m := newMachine(granted)
		m.byClock = o.ByClock
		return &directory{machine: m}
	}
}

type directory struct {
	machine *machine
	timer   *time.Timer
}

// Receive implements actor.Actor.
func (d *directory) Receive(ctx actor.Context) {
	now := time.Now()
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		d.timer = supervise.After(ctx, sweep, &sweepTick{of: d})
	case *actor.Restarting, *actor.Stopping:
		if d.timer != nil {
			d.timer.Stop()
		}
	case *actor.Terminated:
		if d.machine.gone(msg.Who, now) {
			ctx.Send(ctx.Self(), &departed{topic: msg.Who})
		}
	case *departed:
		d.machine.departed(msg.topic, now)
	case *Claim:
		d.claim(ctx, msg, now)
	case *silence:
		d.machine.silent(msg.key, msg.turn, now)
	case *Superseded:
		d.machine.superseded(msg, now)
	case *Announce:
		ctx.Watch(msg.Topic)
		d.machine.announce(msg, now)
	case *Withdraw:
		d.machine.withdraw(msg, now)
	case *Follow:
		ctx.Watch(msg.Follower)
		d.machine.follow(msg, now)
	case *Unfollow:
		d.machine.unfollow(msg, now)
	case *List:
		ctx.Respond(d.machine.list())
	case *sweepTick:
		if msg.of == d { // not a former incarnation's
			d.machine.forget(now)
			d.timer = supervise.After(ctx, sweep, msg)
		}
	}
	for _, o := range d.machine.out.Take() {
		ctx.RequestWithCustomSender(o.To, o.Msg, ctx.Self())
	}
}

func (d *directory) claim(ctx actor.Context, msg *Claim, now time.Time) {
	e, wait := d.machine.claim(msg, ctx.Sender(), now)
	if wait {
		supervise.After(ctx, patience, &silence{key: msg.Key, turn: e.turn})
	}
}
