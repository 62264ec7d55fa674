package settings

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// Name is the actor's name in the tree.
const Name = "settings"

const sweep = time.Hour

// New returns the producer of the actor. A key that nothing was commanded of has the initial
// settings. What was commanded outlives the actor's restarts: to forget a blur would show what must
// not be seen.
func New(initial Settings) func(*supervise.Self) actor.Actor {
	m := newMachine(initial)
	return func(*supervise.Self) actor.Actor { return &keeper{machine: m} }
}

type keeper struct {
	machine *machine
	alarm   *time.Timer // runs while a command is pending
	sweep   *time.Timer
}

// Receive implements actor.Actor.
func (k *keeper) Receive(ctx actor.Context) {
	now := time.Now()
	switch msg := ctx.Message().(type) {
	case *Command:
		k.machine.command(msg, ctx.Sender(), now)
	case *Get:
		k.get(ctx, msg, now)
	case *Follow:
		ctx.Watch(msg.Follower)
		k.machine.follow(msg, now)
	case *Held:
		k.machine.held(msg)
	case *overdue:
		if msg.of == k {
			k.alarm = nil
			k.machine.overdue(now)
		}
	case *actor.Terminated:
		k.machine.gone(msg.Who)
	case *actor.Started:
		k.machine.restart()
		k.sweep = supervise.After(ctx, sweep, &sweepTick{of: k})
	case *sweepTick:
		if msg.of == k {
			k.machine.forget(now)
			k.sweep = supervise.After(ctx, sweep, msg)
		}
	case *actor.Stopping, *actor.Restarting:
		k.halt()
	}
	for _, o := range k.machine.out.Take() {
		ctx.Send(o.To, o.Msg)
	}
	if k.alarm == nil && k.machine.pending() {
		k.alarm = supervise.After(ctx, patience, &overdue{of: k})
	}
}

func (k *keeper) get(ctx actor.Context, g *Get, now time.Time) {
	if e := k.machine.entries[g.Key]; e != nil {
		e.touched = now
		ctx.Respond(&Current{Key: g.Key, Settings: e.settings})
		return
	}
	initial := k.machine.initial
	ctx.Respond(&Current{Key: g.Key, Settings: &initial})
}

func (k *keeper) halt() {
	for _, timer := range []*time.Timer{k.alarm, k.sweep} {
		if timer != nil {
			timer.Stop()
		}
	}
}
