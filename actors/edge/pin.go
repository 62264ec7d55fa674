package edge

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// PinOptions make a pin.
type PinOptions struct {
	// Key names the broadcast, Rendition what is followed of it, "" the public one.
	Key, Rendition string
	// Edges supervises the edges, and Spec declares the one that is kept alive, whose topic has the
	// name Topic.
	Edges *actor.PID
	Spec  func() supervise.Spec
	Topic string
	// Hold has the edge stay without a viewer, until what it returns is called.
	Hold func() (release func())
}

// NewPin returns the producer of a pin: it keeps an edge alive, which has no viewer maybe, and has
// it come back when it has ended all the same.
//
// To whoever follows the edge's ring a pin is a gate: it answers gate.Tap, with the epoch 0, as an
// edge's ring has the units of several.
func NewPin(o PinOptions) func(*supervise.Self) actor.Actor {
	s := &pinned{PinOptions: o}
	return func(self *supervise.Self) actor.Actor { return &pin{pinned: s, self: self} }
}

// pinned outlives the actor's restarts.
type pinned struct {
	PinOptions
	taps    []*actor.PID
	ring    *topic.Ring // the edge's, nil while it is not known
	release func()      // nil while nothing is held
}

type pin struct {
	*pinned
	self  *supervise.Self
	edge  *actor.PID // nil while it is not there
	timer *time.Timer
}

// look is the time to see whether the edge is there, and who waits for its ring.
type look struct{ of *pin }

// pinAgain is how long the edge, or its topic, has to answer before it is asked again, and how
// long one that ends is given to be gone.
const pinAgain = time.Second

// Receive implements actor.Actor.
func (p *pin) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		p.started(ctx)
	case *supervise.Rebind:
		if strings.HasSuffix(p.Edges.Id, "/"+msg.Sibling) { // its edge is gone with all others
			p.ensure(ctx)
		}
	case *supervise.ChildStarted:
		p.edge = msg.PID
		ctx.Watch(msg.PID)
		p.ask(ctx)
	case *supervise.ChildRefused:
		p.self.Log.Debug("edge is refused", slog.String("reason", msg.Reason))
	case *topic.Ring:
		p.found(ctx, msg)
	case *gate.Tap:
		p.tap(ctx, msg.Follower)
	case *gate.Untap:
		ctx.Unwatch(msg.Follower)
		p.untap(msg.Follower)
	case *actor.Terminated:
		p.terminated(ctx, msg.Who)
	case *look:
		if msg.of == p {
			p.look(ctx)
		}
	case *actor.Restarting, *actor.Stopping:
		p.halt()
		if _, over := msg.(*actor.Stopping); over && p.release != nil {
			p.release()
			p.release = nil
		}
	}
}

func (p *pin) started(ctx actor.Context) {
	if p.release == nil {
		p.release = p.Hold()
	}
	for _, who := range p.taps {
		ctx.Watch(who)
	}
	p.ensure(ctx)
}

// ensure has the edge started, if it is not there.
func (p *pin) ensure(ctx actor.Context) {
	p.edge, p.ring = nil, nil
	ctx.Request(p.Edges, &supervise.StartChild{Spec: p.Spec()})
	p.later(ctx)
}

func (p *pin) later(ctx actor.Context) {
	p.halt()
	p.timer = supervise.After(ctx, pinAgain, &look{of: p})
}

func (p *pin) halt() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// look asks again for what has not come.
func (p *pin) look(ctx actor.Context) {
	switch {
	case p.edge == nil:
		p.ensure(ctx)
	case p.ring == nil:
		p.ask(ctx)
	}
}

// ask asks the edge's topic for its ring, if somebody wants to know.
func (p *pin) ask(ctx actor.Context) {
	switch {
	case p.edge == nil: // that is asked for already
		return
	case len(p.taps) == 0:
		p.halt()
		return
	}
	ctx.Request(actor.NewPID(p.edge.Address, p.edge.Id+"/"+p.Topic), &topic.GetRing{})
	p.later(ctx)
}

func (p *pin) found(ctx actor.Context, ring *topic.Ring) {
	p.halt()
	p.ring = ring
	for _, who := range p.taps {
		p.answer(ctx, who)
	}
}

func (p *pin) tap(ctx actor.Context, who *actor.PID) {
	if !slices.ContainsFunc(p.taps, who.Equal) {
		p.taps = append(p.taps, who)
		ctx.Watch(who)
	}
	if p.ring != nil {
		p.answer(ctx, who)
		return
	}
	p.ask(ctx)
}

func (p *pin) answer(ctx actor.Context, who *actor.PID) {
	ctx.Send(who, &gate.Tapped{Key: p.Key, Rendition: p.Rendition, Ring: p.ring})
}

func (p *pin) untap(who *actor.PID) { p.taps = slices.DeleteFunc(p.taps, who.Equal) }

// terminated has the edge back if it is that which has ended.
func (p *pin) terminated(ctx actor.Context, who *actor.PID) {
	if !strings.HasPrefix(who.Id, p.Edges.Id+"/") {
		p.untap(who)
		return
	}
	p.self.Log.Info("edge is started anew", slog.String("broadcast", p.Key))
	p.ensure(ctx)
}
