package link

import (
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
)

// A peer that is asked for a broadcast which is not here, but on other nodes, pins this node's edge
// of it, and follows the edge's ring: that is the second tier. One that is nowhere is not pinned,
// as the edge would have nothing to follow: the directory will tell when it is somewhere.

// wanted is a rendition of a broadcast.
type wanted struct{ key, rendition string }

// pin is an edge that is kept alive for this peer.
type pin struct {
	name   string
	up     bool
	unused time.Time // since when nobody wants it; zero while somebody does
}

const (
	// pinLinger is how long a pin outlives the need for it.
	pinLinger = 3 * time.Second
	// surveyTime is how often pins that are to come or to go are seen to.
	surveyTime = time.Second
)

// survey is the time to see to the pins.
type survey struct{ of *peer }

// wants reports whether an edge has to be pinned: somebody asks for it, it is not here, and it is
// elsewhere, or pinned by somebody else, as a standby's is.
func (p *peer) wants(at wanted) bool {
	k := p.keys[at.key]
	if p.Pins == nil || k == nil || k.gate != nil || k.renditions[at.rendition] == 0 {
		return false
	}
	return k.elsewhere || p.Pinned(at.key, at.rendition)
}

// pinned reports whether an edge of a broadcast is pinned for a subscription that there is.
func (p *peer) pinned(key string, k *followed) bool {
	for rendition := range k.renditions {
		if p.pins[wanted{key, rendition}] != nil {
			return true
		}
	}
	return false
}

// pinning pins an edge, or begins to let go of it.
func (p *peer) pinning(ctx actor.Context, at wanted) {
	has, want := p.pins[at], p.wants(at)
	switch {
	case want && has == nil:
		p.pins[at] = &pin{}
		p.ask(ctx, at, p.pins[at])
		p.later(ctx)
	case want && !has.unused.IsZero():
		has.unused = time.Time{}
		if has.up { // it may be new to who asks
			p.tap(ctx, at, has)
		}
	case want && has.up:
		p.tap(ctx, at, has)
	case !want && has != nil && has.unused.IsZero():
		has.unused = time.Now()
		p.later(ctx)
	}
}

// ask has the edge pinned. It is asked again until there is an answer.
func (p *peer) ask(ctx actor.Context, at wanted, it *pin) {
	spec := p.Pin(at.key, at.rendition, "peer/"+p.name) // no other's name has a slash
	it.name = spec.Name
	p.named[it.name] = at
	ctx.Request(p.Pins, &supervise.StartChild{Spec: spec})
}

// tap asks for the edge's ring.
func (p *peer) tap(ctx actor.Context, at wanted, it *pin) {
	pid := actor.NewPID(p.Pins.Address, p.Pins.Id+"/"+it.name)
	ctx.Send(pid, &gate.Tap{Rendition: at.rendition, Follower: ctx.Self()})
}

// find returns the pin of an actor, nil if it is none.
func (p *peer) find(who *actor.PID) (at wanted, it *pin) {
	at, known := p.named[strings.TrimPrefix(who.Id, p.Pins.Id+"/")]
	if !known {
		return at, nil
	}
	return at, p.pins[at]
}

func (p *peer) pinUp(ctx actor.Context, pid *actor.PID) {
	at, it := p.find(pid)
	if it == nil || it.up {
		return
	}
	it.up = true
	ctx.Watch(pid)
	p.tap(ctx, at, it)
}

// pinGone has a pin come back that has ended by another hand.
func (p *peer) pinGone(ctx actor.Context, pid *actor.PID) {
	if p.Pins == nil {
		return
	}
	if _, it := p.find(pid); it != nil {
		it.up = false
		p.later(ctx)
	}
}

// later has the pins surveyed soon.
func (p *peer) later(ctx actor.Context) {
	if p.timer == nil {
		p.timer = supervise.After(ctx, surveyTime, &survey{of: p})
	}
}

// survey asks for the pins that are not up, and lets go of those that nobody has wanted for long.
func (p *peer) survey(ctx actor.Context) {
	p.timer = nil
	more := false
	for at, it := range p.pins {
		more = more || !it.up || !it.unused.IsZero()
		switch {
		case !it.unused.IsZero() && time.Since(it.unused) >= pinLinger:
			p.unpin(ctx, at, it)
		case !it.up && it.unused.IsZero():
			p.ask(ctx, at, it)
		}
	}
	if more {
		p.later(ctx)
	}
}

// unpin lets go of an edge. Subscriptions that have nothing else are told that it is gone.
func (p *peer) unpin(ctx actor.Context, at wanted, it *pin) {
	delete(p.pins, at)
	delete(p.named, it.name)
	ctx.Send(p.Pins, &supervise.StopChild{Name: it.name, Reason: "nobody asks for it any more"})
	if k := p.keys[at.key]; k != nil && k.gate == nil && !p.pinned(at.key, k) {
		p.outlet.finish(at.key)
	}
}

func (p *peer) unpinAll(ctx actor.Context) {
	if p.timer != nil {
		p.timer.Stop()
	}
	for at, it := range p.pins {
		p.unpin(ctx, at, it)
	}
}
