package gate

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/topic"
)

// subscriber follows a rendition, or waits for it.
type subscriber struct {
	rendition string
	pid       *actor.PID
}

// subscribers are those who follow the renditions: the topics have them too, but lose them when
// they are restarted.
type subscribers []subscriber

func (s *subscribers) add(rendition string, pid *actor.PID) {
	s.remove(pid)
	*s = append(*s, subscriber{rendition, pid})
}

func (s *subscribers) remove(pid *actor.PID) (rendition string, found bool) {
	i := slices.IndexFunc(*s, func(o subscriber) bool { return o.pid.Equal(pid) })
	if i < 0 {
		return "", false
	}
	rendition = (*s)[i].rendition
	*s = slices.Delete(*s, i, i+1)
	return rendition, true
}

// subscribe passes a subscription on to the rendition's topic, if it is there.
func (g *gate) subscribe(ctx actor.Context, s *Subscribe) {
	g.unsubscribe(ctx, s.Subscriber)
	ctx.Watch(s.Subscriber)
	g.state.subscribers.add(s.Rendition, s.Subscriber)
	if l := g.state.machine.lane(s.Rendition); l != nil && l.topic != nil {
		ctx.Send(l.topic, &topic.Subscribe{Subscriber: s.Subscriber})
	}
}

func (g *gate) unsubscribe(ctx actor.Context, pid *actor.PID) {
	rendition, found := g.state.subscribers.remove(pid)
	if !found {
		return
	}
	if l := g.state.machine.lane(rendition); l != nil && l.topic != nil {
		ctx.Send(l.topic, &topic.Unsubscribe{Subscriber: pid})
	}
}

// follow has all who follow a rendition subscribe to its topic, which has just begun.
func (g *gate) follow(ctx actor.Context, l *lane) {
	for _, s := range g.state.subscribers {
		if g.state.machine.lane(s.rendition) == l {
			ctx.Send(l.topic, &topic.Subscribe{Subscriber: s.pid})
		}
	}
	for _, t := range g.state.taps {
		t.told = t.told && g.state.machine.lane(t.Rendition) != l
	}
}

// taps are those who follow the rings of renditions.
type taps []*tap

// tap is one of them, and what it was told.
type tap struct {
	*Tap
	told bool // since the rendition's topic has begun
	made bool
}

func (t *taps) remove(who *actor.PID) {
	*t = slices.DeleteFunc(*t, func(o *tap) bool { return o.Follower.Equal(who) })
}

func (g *gate) tap(ctx actor.Context, t *Tap) {
	ctx.Watch(t.Follower)
	i := slices.IndexFunc(g.state.taps, func(o *tap) bool {
		return o.Follower.Equal(t.Follower) && o.Rendition == t.Rendition
	})
	if i < 0 {
		i = len(g.state.taps)
		g.state.taps = append(g.state.taps, &tap{Tap: t})
	}
	g.state.taps[i].told = false
}

// tellTaps tells those who follow rings which they are, and whose pictures are in them.
func (g *gate) tellTaps(ctx actor.Context) {
	for _, t := range g.state.taps {
		l := g.state.machine.lane(t.Rendition)
		if l == nil || l.topic == nil || l.ring == nil || t.told && t.made == l.made() {
			continue
		}
		t.told, t.made = true, l.made()
		ctx.Send(t.Follower, &Tapped{
			Key: g.Key, Epoch: g.Epoch, Rendition: t.Rendition, Ring: l.ring, Made: t.made,
		})
	}
}
