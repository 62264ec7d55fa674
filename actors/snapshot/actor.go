package snapshot

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/av"
)

// Name is the actor's name in the tree.
const Name = "snapshot"

// Options make the actor.
type Options struct {
	// Slots bound the pictures that the node works on at a time, Limits those that are decoded.
	Slots  *process.Slots
	Limits av.Limits
	// Processing counts the slots in use.
	Processing *process.Metrics
	// Isolation says where pictures are made. Its command must come to Child.
	Isolation process.Isolation
}

// New returns the producer of the actor. Who waits for a picture is not forgotten by a restart.
func New(o Options) func(*supervise.Self) actor.Actor {
	m := newMachine()
	return func(self *supervise.Self) actor.Actor {
		return &photographer{Options: o, self: self, machine: m}
	}
}

type photographer struct {
	Options
	self    *supervise.Self
	machine *machine
	timer   *time.Timer
}

// Receive implements actor.Actor.
func (p *photographer) Receive(ctx actor.Context) {
	now := time.Now()
	switch msg := ctx.Message().(type) {
	case *Take:
		p.machine.take(msg, ctx.Sender(), now)
	case *made:
		if msg.err != nil {
			p.self.Log.Debug("no snapshot", slog.String("broadcast", msg.of.name.key),
				slog.Any("reason", msg.err))
		}
		p.machine.made(msg, now)
	case *sweep:
		if msg.of == p {
			p.machine.forget(now)
			p.again(ctx)
		}
	case *actor.Started:
		p.machine.restart(now)
		p.again(ctx)
	case *actor.Stopping, *actor.Restarting:
		if p.timer != nil {
			p.timer.Stop()
		}
		return
	}
	for _, o := range p.machine.out.Take() {
		ctx.Send(o.To, o.Msg)
	}
	if j := p.machine.next(); j != nil {
		p.work(ctx, j)
	}
}

func (p *photographer) again(ctx actor.Context) {
	p.timer = supervise.After(ctx, unasked, &sweep{of: p})
}

// work does a job on a goroutine of its own.
func (p *photographer) work(ctx actor.Context, j *job) {
	system, self := ctx.ActorSystem(), ctx.Self()
	p.self.Goroutines.Go("picture", func(ctx context.Context) {
		m := &made{of: j}
		do := func() { m.picture, m.err = take(ctx, j.take.Unit, &p.Options) }
		if p.Slots.Do(ctx, p.Processing, do) {
			system.Root.Send(self, m)
		}
	})
}
