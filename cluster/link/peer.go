package link

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/media"
)

// peer is the origin's end of a link, and owns its connection: it finds for each subscription the
// rings to follow, from epoch to epoch. They are those of the broadcast that is here, or of the
// edge that follows it elsewhere.
type peer struct {
	Options
	actors.LinkPlace
	wire   *wire
	owned  *atomic.Bool // whoever asks first owns the connection
	self   *supervise.Self
	name   string
	outlet *outlet
	orders orders
	keys   map[string]*followed
	pins   map[wanted]*pin
	named  map[string]wanted // those, by their names
	timer  *time.Timer       // runs while a pin has to be seen to
}

// followed is a broadcast that the edge has subscriptions to.
type followed struct {
	renditions map[string]int // how many subscriptions each has
	count      int
	gate       *actor.PID // nil while the broadcast is not here
	epoch      uint64
	elsewhere  bool // another node gives it out
}

// order is what the edge asks for: a subscription, or its end.
type order struct {
	feed *feed
	over bool
}

// orders are those that the actor has not carried out yet. They cannot be lost to a full mailbox.
type orders struct {
	mu  sync.Mutex
	all []order
}

// add appends an order and reports whether the actor has to be told.
func (o *orders) add(next order) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, next)
	return len(o.all) == 1
}

func (o *orders) take() []order {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.all
	o.all = nil
	return all
}

// ordered tells the actor that there are orders. It is urgent, as it is not told twice.
type ordered struct{}

// Urgent implements mailbox.Urgent.
func (*ordered) Urgent() {}

// Receive implements actor.Actor.
func (p *peer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		p.started(ctx)
	case *ordered:
		for _, o := range p.orders.take() {
			p.order(ctx, o)
		}
	case *directory.Located:
		p.located(ctx, msg)
	case *gate.Tapped:
		p.tapped(msg)
	case *supervise.ChildStarted:
		p.pinUp(ctx, msg.PID)
	case *actor.Terminated:
		p.pinGone(ctx, msg.Who)
	case *survey:
		if msg.of == p {
			p.survey(ctx)
		}
	case *supervise.Rebind:
		p.rebind(ctx, msg)
	case *over:
		p.self.End(ctx, msg.reason.String())
	case *actor.Stopping:
		for key, k := range p.keys {
			p.leave(ctx, key, k)
		}
		p.unpinAll(ctx)
	}
}

func (p *peer) started(ctx actor.Context) {
	if p.owned.Swap(true) {
		p.self.End(ctx, "the listener has given the connection up")
		return
	}
	system, self := ctx.ActorSystem(), ctx.Self()
	s := serve(p.wire, p.MaxBehind, &p.Metrics.origin, func(o order) {
		if p.orders.add(o) {
			system.Root.Send(self, &ordered{})
		}
	})
	p.outlet = s.outlet
	started := p.self.Goroutines.Go("read", func(ctx context.Context) {
		reason, err := s.run(ctx, p.self.Goroutines)
		s.outlet.close()
		p.self.Log.Info("link is down", slog.String("node", p.wire.node),
			slog.String("reason", reason.String()), slog.Any("error", err), slog.Int("skips", s.skips))
		system.Root.Send(self, &over{p, reason, err})
	})
	if !started {
		abort(p.wire.conn, false)
	}
}

// order carries out what the edge asks for.
func (p *peer) order(ctx actor.Context, o order) {
	f := o.feed
	k := p.keys[f.key]
	if o.over {
		if k != nil {
			p.drop(ctx, k, f)
		}
		return
	}
	if k == nil {
		k = &followed{renditions: map[string]int{}}
		p.keys[f.key] = k
		p.follow(ctx, f.key, f.wanted.epoch)
	}
	k.count++
	k.renditions[f.rendition]++
	if k.gate != nil {
		ctx.Send(k.gate, &gate.Tap{Rendition: f.rendition, Follower: ctx.Self()})
	}
	p.pinning(ctx, wanted{f.key, f.rendition})
}

// drop ends a subscription.
func (p *peer) drop(ctx actor.Context, k *followed, f *feed) {
	if k.renditions[f.rendition]--; k.renditions[f.rendition] == 0 {
		delete(k.renditions, f.rendition)
	}
	if k.count--; k.count == 0 {
		p.leave(ctx, f.key, k)
		delete(p.keys, f.key)
	}
	p.pinning(ctx, wanted{f.key, f.rendition})
}

// rebind tells a directory that was restarted what is followed. No other sibling knows of peers.
func (p *peer) rebind(ctx actor.Context, msg *supervise.Rebind) {
	if msg.Sibling != directory.Name {
		return
	}
	for key, k := range p.keys {
		p.follow(ctx, key, k.epoch)
	}
}

func (p *peer) follow(ctx actor.Context, key string, epoch uint64) {
	ctx.Send(p.Directory, &directory.Follow{Key: key, Follower: ctx.Self(), Epoch: epoch})
}

func (p *peer) leave(ctx actor.Context, key string, k *followed) {
	ctx.Send(p.Directory, &directory.Unfollow{Key: key, Follower: ctx.Self()})
	if k.gate != nil {
		ctx.Send(k.gate, &gate.Untap{Follower: ctx.Self()})
	}
}

// located goes on with the incarnation of a broadcast that there is now, or with the edge that
// follows it elsewhere. Until there is another ring, a subscription reads on in the one it has.
func (p *peer) located(ctx actor.Context, l *directory.Located) {
	k := p.keys[l.Key]
	if k == nil {
		return
	}
	k.elsewhere = slices.ContainsFunc(l.Places, func(at directory.Place) bool { return !at.Static })
	switch {
	case l.Gate == nil:
		k.gate = nil
	case l.Epoch >= k.epoch:
		p.here(ctx, k, l)
	}
	for rendition := range k.renditions {
		p.pinning(ctx, wanted{l.Key, rendition})
	}
	if k.gate == nil && !p.pinned(l.Key, k) {
		p.outlet.finish(l.Key)
	}
}

// here taps the gate of the broadcast on this node.
func (p *peer) here(ctx actor.Context, k *followed, l *directory.Located) {
	if k.gate != nil && !k.gate.Equal(l.Gate) {
		ctx.Send(k.gate, &gate.Untap{Follower: ctx.Self()})
	}
	k.gate, k.epoch = l.Gate, l.Epoch
	for rendition := range k.renditions {
		ctx.Send(k.gate, &gate.Tap{Rendition: rendition, Follower: ctx.Self()})
	}
}

// tapped has the subscriptions go on with a ring: the broadcast's, where that is here.
func (p *peer) tapped(t *gate.Tapped) {
	k := p.keys[t.Key]
	switch {
	case k == nil:
	case t.Epoch == 0 && k.gate == nil, t.Epoch != 0 && t.Epoch == k.epoch:
		p.outlet.attach(t.Key, t.Rendition, &tap{t.Ring, t.Epoch})
	}
}

// served is the origin's session on a connection.
type served struct {
	*session
	outlet *outlet
}

// serve makes it; ordered is told what the edge asks for.
func serve(w *wire, behind time.Duration, m *sideMetrics, ordered func(order)) *served {
	s := &served{session: newSession(w, m)}
	s.outlet = newOutlet(s.control, media.Time(behind))
	s.fill, s.waiting = s.outlet.gather, s.outlet.waiting
	s.take = func(f *frame) error {
		o := order{over: f.typ == typeUnsubscribe}
		switch f.typ {
		case typeSubscribe:
			o.feed = s.outlet.subscribe(f.id, f.text, f.rendition, f.place)
		case typeUnsubscribe:
			o.feed = s.outlet.unsubscribe(f.id)
		default:
			return misplaced(f)
		}
		if o.feed == nil {
			return fmt.Errorf("%w: subscription %d", ErrFormat, f.id)
		}
		ordered(o)
		return nil
	}
	return s
}

// misplaced says that a frame is not for this side.
func misplaced(f *frame) error {
	return fmt.Errorf("%w: type %d from that side", ErrFormat, f.typ)
}
