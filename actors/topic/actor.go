package topic

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/supervise"
)

// Options make a topic.
type Options struct {
	// Key names the broadcast.
	Key string
	// Ring is what the topic fills; it outlives the actor's restarts.
	Ring *Ring
	// Window is the node's merge window.
	Window *Window
	// Metrics count what passes.
	Metrics *Metrics

	// Name is the rendition's, and Owner is told when the topic has begun. A topic without an owner
	// is looked after by whoever feeds it.
	Name  string
	Owner *actor.PID

	// Directory is told what the topic carries, and that Gate is who gives it out. An edge's topic
	// has none.
	Directory, Gate *actor.PID
	// Epoch is the incarnation of the broadcast, at its origin.
	Epoch uint64
	// Grace is how long the topic outlives its publisher, at the origin.
	Grace time.Duration

	// Patience is for an edge that has several upstreams: what one of them skips, another may bring.
	// Without it nobody is waited for.
	Patience *Patience
}

// housekeeping is how often waiting readers are woken though there is nothing to read, so that they
// can see to their connections.
const housekeeping = time.Second

// New returns the producer of a topic's actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor {
		return &topic{Options: &o, self: self}
	}
}

type topic struct {
	*Options
	self        *supervise.Self
	machine     *Machine
	merge       *merge  // nil where one upstream is all there is
	overdue     *giveUp // comes when the oldest hole is to be given up, nil while none is open
	pulse       *pulse
	subscribers []*actor.PID
	publisher   *actor.PID
	latest      time.Time // when the latest unit came
	turn        int       // counts the publishers, so that a former one's grace time is void
	over        string    // why it ends, once it is superseded
	timer       *time.Timer
	grace       *time.Timer
	wake        *time.Timer // of overdue
}

// Receive implements actor.Actor.
func (t *topic) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *Unit:
		t.unit(ctx, msg)
	case *Snapshot:
		t.adopt(ctx, msg)
	case *actor.Started:
		t.started(ctx)
	case *actor.Restarting:
		t.halt()
	case *actor.Stopping:
		t.halt()
		t.withdraw(ctx)
		t.Metrics.kept(-t.Ring.Bytes())
	case *actor.Terminated:
		t.terminated(ctx, msg.Who)
	case *Attach:
		t.attach(ctx, msg)
	case *Subscribe:
		t.subscribe(ctx, msg)
	case *Seal:
		t.seal(ctx, msg)
	case *Unsubscribe:
		t.drop(msg.Subscriber)
	case *directory.Supersede:
		t.supersede(ctx, msg)
	case *supervise.Rebind:
		t.announce(ctx)
	case *GetRing:
		t.give(ctx)
	case *Describe:
		ctx.Respond(t.describe())
	case *graceOver:
		t.graceOver(ctx, msg)
	case *giveUp:
		t.giveUp(ctx, msg)
	case *tick:
		if msg.of == t { // not a former incarnation's
			t.tick(ctx)
		}
	}
}

func (t *topic) started(ctx actor.Context) {
	t.machine = NewMachine(t.Ring)
	t.pulse = &pulse{ring: t.Ring, window: t.Window}
	if t.Owner != nil {
		ctx.Send(t.Owner, &Up{Name: t.Name, PID: ctx.Self(), Ring: t.Ring})
	}
	if t.Ring.given {
		t.tick(ctx)
	}
	if t.Directory == nil {
		return
	}
	t.latest = time.Now()
	t.announce(ctx)
	t.await(ctx, max(t.Grace, arrival))
}

// arrival is how long a topic waits for its first publisher, who is on his way, at least.
const arrival = 10 * time.Second

// give gives the ring to a reader. There is no housekeeping before the first, who may be far off:
// an edge that is kept for others has none.
func (t *topic) give(ctx actor.Context) {
	t.Ring.given = true
	if t.timer == nil {
		t.tick(ctx)
	}
	ctx.Respond(t.Ring)
}

func (t *topic) tick(ctx actor.Context) {
	t.Ring.WakeAll()
	t.timer = supervise.After(ctx, housekeeping, &tick{of: t})
}

func (t *topic) halt() {
	if t.pulse != nil {
		t.pulse.stop()
	}
	for _, timer := range []*time.Timer{t.timer, t.grace, t.wake} {
		if timer != nil {
			timer.Stop()
		}
	}
	if t.merge != nil { // what is held is lost, as what was in the mailbox
		t.count(counted{fates: t.merge.counted.fates})
	}
}

// push lets a unit in, to the readers of the ring and to the subscribers.
func (t *topic) push(ctx actor.Context, u *Unit, in func(*Unit) (*Unit, error)) {
	gaps, kept := t.machine.Gaps(), t.Ring.Bytes()
	entered, err := in(u)
	if now := t.machine.Gaps(); now != gaps { // rare
		t.Metrics.gaps(now - gaps)
	}
	if now := t.Ring.Bytes(); now != kept { // not by what the topic has, from another upstream
		t.Metrics.kept(now - kept)
	}
	if err != nil {
		t.refused(u, err)
		return
	}
	t.latest = time.Now()
	t.Metrics.accepted(entered)
	t.Ring.Tell()
	t.pulse.appended()
	for _, s := range t.subscribers {
		ctx.Send(s, entered)
	}
}

func (t *topic) refused(u *Unit, err error) {
	t.Metrics.refused(err)
	if errors.Is(err, ErrStale) {
		t.self.Log.Debug("unit of a stale epoch is refused", slog.String("broadcast", t.Key),
			slog.Uint64("epoch", u.Epoch), slog.Uint64("seq", u.Seq))
	}
}

func (t *topic) adopt(ctx actor.Context, s *Snapshot) {
	if t.merging() {
		t.fill(ctx, s)
		return
	}
	for _, u := range s.Units {
		t.push(ctx, u, t.machine.Adopt)
	}
}

func (t *topic) attach(ctx actor.Context, a *Attach) {
	if a.Epoch != t.Epoch || a.Publisher.Equal(t.publisher) {
		return
	}
	t.turn++
	if t.grace != nil {
		t.grace.Stop()
	}
	t.publisher = a.Publisher
	ctx.Watch(a.Publisher)
	t.announce(ctx)
}

func (t *topic) terminated(ctx actor.Context, who *actor.PID) {
	t.drop(who)
	if t.publisher == nil || !who.Equal(t.publisher) {
		return
	}
	t.publisher = nil
	if t.over != "" {
		t.self.End(ctx, t.over)
		return
	}
	t.announce(ctx)
	t.await(ctx, t.Grace)
}

// await gives the publisher some time to come, or to come back.
func (t *topic) await(ctx actor.Context, patience time.Duration) {
	t.turn++
	t.grace = supervise.After(ctx, patience, &graceOver{turn: t.turn})
}

func (t *topic) graceOver(ctx actor.Context, g *graceOver) {
	switch {
	case g.turn != t.turn:
	case t.over != "":
		t.self.End(ctx, t.over)
	case t.publisher == nil:
		t.self.End(ctx, "the publisher did not come back within the grace time")
	}
}

func (t *topic) announce(ctx actor.Context) {
	if t.Directory != nil {
		ctx.Send(t.Directory, &directory.Announce{
			Key: t.Key, Epoch: t.Epoch, Topic: ctx.Self(), Gate: t.Gate,
			Publishing: t.publisher != nil,
		})
	}
}

func (t *topic) describe() *Description {
	d := t.Ring.describe()
	d.Last, d.HasLast = t.machine.End()
	d.LastEpoch, d.LastTime = t.machine.Epoch(), t.latest
	return d
}

func (t *topic) withdraw(ctx actor.Context) {
	if t.Directory == nil || t.machine == nil {
		return
	}
	end, has := t.machine.End()
	ctx.Send(t.Directory, &directory.Withdraw{
		Key: t.Key, Epoch: t.Epoch, Last: end, HasLast: has, LastTime: t.latest,
	})
}

func (t *topic) subscribe(ctx actor.Context, s *Subscribe) {
	t.drop(s.Subscriber)
	t.subscribers = append(t.subscribers, s.Subscriber)
	ctx.Watch(s.Subscriber)
	ctx.Send(s.Subscriber, &Snapshot{Epoch: t.Epoch, Units: t.machine.Snapshot()})
}

func (t *topic) seal(ctx actor.Context, s *Seal) {
	if s = t.machine.Seal(s); s == nil {
		return
	}
	t.Ring.Tell()
	for _, subscriber := range t.subscribers {
		ctx.Send(subscriber, s)
	}
}

func (t *topic) drop(who *actor.PID) {
	t.subscribers = slices.DeleteFunc(t.subscribers, func(p *actor.PID) bool { return p.Equal(who) })
}

// supersede ends the topic in favour of a later epoch.
func (t *topic) supersede(ctx actor.Context, s *directory.Supersede) {
	if s.Epoch <= t.Epoch {
		return
	}
	t.machine.Fence(s.Epoch)
	end, has := t.machine.End()
	ctx.Send(ctx.Sender(), &directory.Superseded{
		Key: t.Key, Epoch: t.Epoch, Last: end, HasLast: has, LastTime: t.latest,
	})
	t.over = "another publisher took the stream key over"
	if s.Node != "" {
		t.over += " on node " + s.Node
	}
	if t.publisher == nil {
		t.self.End(ctx, t.over)
		return
	}
	ctx.Send(t.publisher, &Ended{Reason: t.over})
	t.await(ctx, farewell)
}

// farewell is how long a superseded topic waits for its publisher, who is told why: with the topic
// itself the broadcast ends, and the publisher before he has read it.
const farewell = time.Second
