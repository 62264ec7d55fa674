// Package directory holds the actor that knows which broadcasts a node carries: it grants the right
// to publish a key, one epoch after the other, and tells followers where a broadcast is.
//
// Among other nodes it does so by way of the registrar, which speaks with them: it reserves the
// epochs, is told what is here, and tells where else a broadcast is that somebody here follows.
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

const sweep = time.Minute

type (
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
	// Registrar speaks for this node in its cluster: it grants the epochs and tells where else a
	// broadcast is. Nil for a node by itself.
	Registrar *actor.PID
	// Static are places that every key has, besides those that the registrar tells of.
	Static []Place
}

// New returns the producer of the actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	mem := &memory{}
	return func(*supervise.Self) actor.Actor { return &directory{machine: newMachine(o, mem)} }
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
		d.machine.claim(msg, ctx.Sender(), now)
	case *silence:
		d.machine.silent(msg.key, msg.turn, now)
	case *unkept:
		d.machine.unkept(msg.key, now)
	case *Reserved, *Unreserved, *Places, *Outdated:
		d.registrar(msg, now)
	case *supervise.Rebind:
		d.machine.rebound()
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
	for _, a := range d.machine.alarms {
		supervise.After(ctx, a.after, a.msg)
	}
	d.machine.alarms = nil
	for _, o := range d.machine.out.Take() {
		ctx.RequestWithCustomSender(o.To, o.Msg, ctx.Self())
	}
}

// registrar takes what the registrar says.
func (d *directory) registrar(msg any, now time.Time) {
	switch msg := msg.(type) {
	case *Reserved:
		d.machine.reservedFor(msg, now)
	case *Unreserved:
		d.machine.unreserved(msg, now)
	case *Places:
		d.machine.placed(msg, now)
	case *Outdated:
		d.machine.ends(msg, now)
	}
}
