package edge

import (
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// RelayOptions make a relay.
type RelayOptions struct {
	// Key names the broadcast, Rendition what is followed of it, "" the public one.
	Key, Rendition string
	// Directory tells where it is, on this node and on others.
	Directory *actor.PID
	// Topic is the edge's, which the relay feeds.
	Topic *actor.PID
	// Beside is nil where nobody stands beside the relay.
	Beside Beside
}

// Beside returns who gets what a relay's topic gets, and hears when nothing comes any more: the
// splice of that, nil while there is none.
type Beside func(key, rendition string) *actor.PID

// NewRelay returns the producer of a relay: it follows the broadcast wherever it is, on this node
// and on all others that give it out, from epoch to epoch, and passes on what it gets. It keeps
// nothing: the edge's topic knows what it has, and leaves out what comes twice and what is of a
// former epoch.
func NewRelay(o RelayOptions) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor { return &relay{RelayOptions: &o, self: self} }
}

type relay struct {
	*RelayOptions
	self  *supervise.Self
	gate  *actor.PID // the broadcast's on this node
	epoch uint64     // that one's
	links []upstream
	timer *time.Timer // runs while a link is to be left
}

// upstream is a link that the relay follows.
type upstream struct {
	link *actor.PID
	left time.Time // when the broadcast was there no more; zero while it is
}

// parting is how long the relay stays with a node that the broadcast has left: what it sent last is
// on its way, and it may be back.
const parting = 2 * time.Second

// parted is the time to leave the nodes that the broadcast has left.
type parted struct{ of *relay }

// Receive implements actor.Actor.
func (r *relay) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *topic.Unit:
		ctx.Send(r.Topic, msg)
		r.beside(ctx, msg)
	case *topic.Snapshot:
		ctx.Send(r.Topic, msg)
		r.beside(ctx, msg)
	case *gate.Gone:
		r.beside(ctx, msg)
	case *topic.Seal:
		ctx.Send(r.Topic, msg)
	case *actor.Started:
		r.follow(ctx)
	case *supervise.Rebind:
		if msg.Sibling == directory.Name { // no other knows of relays
			r.follow(ctx)
		}
	case *directory.Located:
		r.here(ctx, msg)
		r.elsewhere(ctx, msg.Places)
		if msg.Gate == nil && len(msg.Places) == 0 {
			r.beside(ctx, &gate.Gone{Key: r.Key})
		}
	case *parted:
		if msg.of == r {
			r.part(ctx)
		}
	case *actor.Stopping, *actor.Restarting:
		r.leave(ctx)
	}
}

func (r *relay) beside(ctx actor.Context, msg any) {
	if r.Beside == nil {
		return
	}
	if who := r.Beside(r.Key, r.Rendition); who != nil {
		ctx.Send(who, msg)
	}
}

func (r *relay) follow(ctx actor.Context) {
	ctx.Send(r.Directory, &directory.Follow{Key: r.Key, Follower: ctx.Self(), Epoch: r.epoch})
}

// here subscribes to the broadcast on this node. It does so for each message about the same gate
// too: that may not have been up before, and what comes twice is left out downstream. One that is
// gone is not left before there is the next: it gives out the last of what it has.
func (r *relay) here(ctx actor.Context, l *directory.Located) {
	if l.Gate == nil || l.Epoch < r.epoch {
		return
	}
	same := l.Gate.Equal(r.gate)
	if same && l.Elsewhere {
		return
	}
	if r.gate != nil && !same {
		ctx.Send(r.gate, &gate.Unsubscribe{Subscriber: ctx.Self()})
	}
	if r.gate == nil {
		r.self.Log.Info("relay follows", slog.String("broadcast", r.Key),
			slog.Uint64("epoch", l.Epoch))
	}
	r.gate, r.epoch = l.Gate, l.Epoch
	r.subscribe(ctx, r.gate)
}

// elsewhere subscribes to the broadcast on other nodes. Where it is followed already nothing
// changes.
func (r *relay) elsewhere(ctx actor.Context, places []directory.Place) {
	now := time.Now()
	for i := range r.links {
		u := &r.links[i]
		there := slices.ContainsFunc(places, func(p directory.Place) bool { return p.Link.Equal(u.link) })
		switch {
		case there:
			u.left = time.Time{}
		case u.left.IsZero():
			u.left = now
			if r.timer == nil {
				r.timer = supervise.After(ctx, parting, &parted{of: r})
			}
		}
	}
	for _, p := range places {
		if !slices.ContainsFunc(r.links, func(u upstream) bool { return u.link.Equal(p.Link) }) {
			r.links = append(r.links, upstream{link: p.Link})
			r.subscribe(ctx, p.Link)
			r.self.Log.Debug("relay follows", slog.String("broadcast", r.Key),
				slog.String("node", p.Node))
		}
	}
}

// part leaves the links whose time is over.
func (r *relay) part(ctx actor.Context) {
	r.timer = nil
	now, next := time.Now(), time.Duration(0)
	r.links = slices.DeleteFunc(r.links, func(u upstream) bool {
		if u.left.IsZero() {
			return false
		}
		if rest := parting - now.Sub(u.left); rest > 0 {
			next = max(next, rest)
			return false
		}
		ctx.Send(u.link, &gate.Unsubscribe{Subscriber: ctx.Self()})
		return true
	})
	if next > 0 {
		r.timer = supervise.After(ctx, next, &parted{of: r})
	}
}

func (r *relay) subscribe(ctx actor.Context, to *actor.PID) {
	ctx.Send(to, &gate.Subscribe{Key: r.Key, Rendition: r.Rendition, Subscriber: ctx.Self()})
}

// leave ends all that was asked for.
func (r *relay) leave(ctx actor.Context) {
	if r.timer != nil {
		r.timer.Stop()
	}
	if r.gate != nil {
		ctx.Send(r.gate, &gate.Unsubscribe{Subscriber: ctx.Self()})
	}
	for _, u := range r.links {
		ctx.Send(u.link, &gate.Unsubscribe{Subscriber: ctx.Self()})
	}
	ctx.Send(r.Directory, &directory.Unfollow{Key: r.Key, Follower: ctx.Self()})
}
