package settings

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// Name is the actor's name in the tree.
const Name = "settings"

const sweep = time.Hour

// New returns the producer of the actor. What was commanded outlives the actor's restarts: to
// forget a blur would show what must not be seen.
func New(o Options) func(*supervise.Self) actor.Actor {
	m := newMachine(o)
	return func(*supervise.Self) actor.Actor { return &keeper{machine: m} }
}

type keeper struct {
	machine *machine
	alarm   *time.Timer // runs while a command is pending
	retry   *time.Timer // runs while something is not stored
	sweep   *time.Timer
}

// Receive implements actor.Actor.
func (k *keeper) Receive(ctx actor.Context) {
	now := time.Now()
	switch msg := ctx.Message().(type) {
	case *Command:
		k.machine.command(msg, ctx.Sender(), now)
	case *Get:
		k.machine.get(msg, ctx.Sender(), now)
	case *Follow:
		ctx.Watch(msg.Follower)
		k.machine.follow(msg, now)
	case *Held:
		k.machine.held(msg)
	case *Kept:
		k.machine.kept(msg, now)
	case *Vanished:
		k.machine.vanished(msg.Key)
	case *Adopt:
		k.machine.take(msg, ctx.Sender(), now)
	case *Export:
		respond(ctx, k.machine.export(msg.Key))
	case *supervise.Rebind:
		k.machine.rebind(now)
	case *actor.Terminated:
		k.machine.gone(msg.Who)
	case *actor.Started:
		k.machine.restart()
		k.sweep = supervise.After(ctx, sweep, &sweepTick{of: k})
	case *overdue, *again, *sweepTick:
		k.tick(ctx, msg, now)
	case *actor.Stopping, *actor.Restarting:
		k.halt()
	}
	for _, o := range k.machine.out.Take() {
		ctx.RequestWithCustomSender(o.To, o.Msg, ctx.Self())
	}
	k.wind(ctx)
}

func respond(ctx actor.Context, answer any) {
	if ctx.Sender() != nil {
		ctx.Respond(answer)
	}
}

// tick does what it is time for, unless a former incarnation set the timer.
func (k *keeper) tick(ctx actor.Context, msg any, now time.Time) {
	switch msg := msg.(type) {
	case *overdue:
		if msg.of == k {
			k.alarm = nil
			k.machine.overdue(now)
		}
	case *again:
		if msg.of == k {
			k.retry = nil
			k.machine.again(now)
		}
	case *sweepTick:
		if msg.of == k {
			k.machine.forget(now)
			k.sweep = supervise.After(ctx, sweep, msg)
		}
	}
}

// wind sets the timers that are needed and do not run.
func (k *keeper) wind(ctx actor.Context) {
	if until, some := k.machine.pending(); k.alarm == nil && some {
		k.alarm = supervise.After(ctx, max(time.Until(until), 0), &overdue{of: k})
	}
	if k.retry == nil && k.machine.Keeper != nil && k.machine.unstored() {
		k.retry = supervise.After(ctx, retry, &again{of: k})
	}
}

func (k *keeper) halt() {
	for _, timer := range []*time.Timer{k.alarm, k.retry, k.sweep} {
		if timer != nil {
			timer.Stop()
		}
	}
}
