package edge

import (
	"log/slog"

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
	// Directory tells where it is on this node.
	Directory *actor.PID
	// Link, if there is one, gives out what another node has: the relay follows that instead, for
	// as long as it lives, whether the broadcast is there or not.
	Link *actor.PID
	// Topic is the edge's, which the relay feeds.
	Topic *actor.PID
}

// NewRelay returns the producer of a relay: it follows the broadcast's topic from epoch to epoch
// and passes on what it gets. It keeps nothing: the edge's topic knows what it has.
func NewRelay(o RelayOptions) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor { return &relay{RelayOptions: o, self: self} }
}

type relay struct {
	RelayOptions
	self   *supervise.Self
	source *actor.PID // the broadcast's gate
	epoch  uint64
}

// Receive implements actor.Actor.
func (r *relay) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *topic.Unit:
		ctx.Send(r.Topic, msg)
	case *topic.Snapshot:
		ctx.Send(r.Topic, msg)
	case *topic.Seal:
		ctx.Send(r.Topic, msg)
	case *actor.Started, *supervise.Rebind:
		r.follow(ctx)
	case *directory.Located:
		r.located(ctx, msg)
	case *actor.Stopping, *actor.Restarting:
		r.leave(ctx)
		if r.Link == nil {
			ctx.Send(r.Directory, &directory.Unfollow{Key: r.Key, Follower: ctx.Self()})
		}
	}
}

func (r *relay) follow(ctx actor.Context) {
	if r.Link != nil {
		r.source = r.Link
		r.subscribe(ctx)
		return
	}
	ctx.Send(r.Directory, &directory.Follow{Key: r.Key, Follower: ctx.Self(), Epoch: r.epoch})
}

// located subscribes where the broadcast is now. It does so for each message about the same topic
// too: the topic may have been restarted, and what comes twice is left out downstream.
func (r *relay) located(ctx actor.Context, l *directory.Located) {
	if l.Gate == nil || l.Epoch < r.epoch {
		return
	}
	if r.source != nil && !r.source.Equal(l.Gate) {
		r.leave(ctx)
	}
	if r.source == nil {
		r.self.Log.Info("relay follows", slog.String("broadcast", r.Key),
			slog.Uint64("epoch", l.Epoch))
	}
	r.source, r.epoch = l.Gate, l.Epoch
	r.subscribe(ctx)
}

func (r *relay) subscribe(ctx actor.Context) {
	ctx.Send(r.source, &gate.Subscribe{
		Key: r.Key, Rendition: r.Rendition, Subscriber: ctx.Self(),
	})
}

func (r *relay) leave(ctx actor.Context) {
	if r.source != nil {
		ctx.Send(r.source, &gate.Unsubscribe{Subscriber: ctx.Self()})
		r.source = nil
	}
}
