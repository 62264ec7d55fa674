package gate

import (
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/timeline"
)

// Name is the actor's name in the tree.
const Name = "gate"

// Options make a gate.
type Options struct {
	// Key names the broadcast, Epoch its incarnation.
	Key   string
	Epoch uint64
	// Backup says that this is the second broadcast of a publisher, which is spliced with the first.
	Backup bool
	// Quiet reports whether no data about the broadcast is to be among its units. It may be nil.
	Quiet func() bool
	// Start is how far the timeline of former epochs came.
	Start timeline.Start
	// Hybrid has the publisher's own pictures pass while nothing is blurred, even where the policy
	// is to process always.
	Hybrid bool
	// Settings knows what is commanded, Source is the topic of what the publisher sends, Public the
	// one that edges follow.
	Settings, Source, Public *actor.PID
	// Processing supervises the process actors, Renditions the topics of the ladder.
	Processing, Renditions *actor.PID
	// Worker and Topic declare the children that the gate asks those for.
	Worker func(StartWorker) supervise.Spec
	Topic  func(name string) supervise.Spec
	// Loudness declares the actor that measures the sound, nil for none.
	Loudness func() supervise.Spec
	// Metrics count what is kept back.
	Metrics *Metrics
}

// state outlives the actor's restarts: what must not be seen is not forgotten by a crash.
type state struct {
	machine     *Machine
	subscribers subscribers
	taps        taps
}

// New returns the producer of the actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	s := &state{machine: NewMachine(o.Epoch, o.Public, o.Hybrid)}
	s.machine.early = o.Backup
	if o.Start.Has {
		s.machine.base = media.FromMillis(o.Start.DTS.Millis() + 1)
	}
	return func(self *supervise.Self) actor.Actor { return &gate{Options: o, self: self, state: s} }
}

type gate struct {
	Options
	self  *supervise.Self
	state *state
	timer *time.Timer // runs while somebody has to answer
	known bool        // the settings have come to this incarnation
	sound *actor.PID  // what measures the sound, nil while it has to be asked for
}

// interval is how often the gate looks at who had to answer.
const interval = 100 * time.Millisecond

// Receive implements actor.Actor.
func (g *gate) Receive(ctx actor.Context) {
	m := g.state.machine
	m.At(time.Now())
	switch msg := ctx.Message().(type) {
	case *topic.Unit:
		m.Source(msg)
	case *topic.Snapshot:
		for _, u := range msg.Units {
			m.Source(u)
		}
	case *process.Output:
		g.output(msg)
	case *loudness.Event:
		if g.Quiet == nil || !g.Quiet() {
			m.Data(msg.Unit)
		}
	case *process.Hello:
		ctx.Watch(msg.PID)
		m.Hello(msg)
	case *process.Ready:
		m.Ready(msg)
	case *process.Applied:
		m.Applied(msg)
	case *process.Fault:
		g.fault(msg)
	case *settings.Current:
		g.settings(ctx, msg)
	case *actor.Started:
		g.started(ctx)
	case *pulse:
		g.pulse(ctx, msg)
	case *supervise.Rebind:
		g.rebind(ctx, msg)
	case *supervise.ChildStarted:
		g.childStarted(ctx, msg.PID)
	case *supervise.ChildRefused:
		g.self.Log.Debug("child is refused", slog.String("reason", msg.Reason))
	case *topic.Up:
		g.up(ctx, msg)
	case *Subscribe:
		g.subscribe(ctx, msg)
	case *Tap:
		g.tap(ctx, msg)
	case *Untap:
		g.state.taps.remove(msg.Follower)
	case *Newest:
		ctx.Respond(m.Newest(msg))
	case *Unsubscribe:
		g.unsubscribe(ctx, msg.Subscriber)
	case *actor.Terminated:
		g.terminated(msg.Who)
	case *actor.Stopping, *actor.Restarting:
		g.halt()
	}
	g.carryOut(ctx)
	g.tellTaps(ctx)
	if g.timer == nil && (!g.known || g.sound == nil && g.Loudness != nil || m.Waits()) {
		g.timer = supervise.After(ctx, interval, &pulse{of: g})
	}
}

func (g *gate) started(ctx actor.Context) {
	for _, s := range g.state.subscribers {
		ctx.Watch(s.pid)
	}
	for _, t := range g.state.taps {
		ctx.Watch(t.Follower)
	}
	for _, pid := range g.state.machine.parts() {
		ctx.Watch(pid)
	}
	g.ask(ctx)
}

// ask follows the settings. The gate does not follow the source before they are known: what came
// meanwhile is in the source's ring.
func (g *gate) ask(ctx actor.Context) {
	ctx.Send(g.Settings, &settings.Follow{Key: g.Key, Epoch: g.Epoch, Follower: ctx.Self()})
}

func (g *gate) settings(ctx actor.Context, c *settings.Current) {
	if !g.known {
		g.known = true
		ctx.Send(g.Source, &topic.Subscribe{Subscriber: ctx.Self()})
	}
	g.state.machine.Settings(c.Settings)
}

// rebind tells those again who were restarted, and cannot know.
func (g *gate) rebind(ctx actor.Context, r *supervise.Rebind) {
	if g.known {
		ctx.Send(g.Source, &topic.Subscribe{Subscriber: ctx.Self()})
	}
	g.ask(ctx)
	g.self.Log.Debug("gate is told of a restart", slog.String("sibling", r.Sibling))
}

func (g *gate) pulse(ctx actor.Context, p *pulse) {
	if p.of != g {
		return
	}
	g.timer = nil
	if !g.known { // the question or its answer was lost
		g.ask(ctx)
	}
	if g.sound == nil && g.Loudness != nil { // one that is there already is the answer too
		ctx.Request(g.Processing, &supervise.StartChild{Spec: g.Loudness()})
	}
	g.state.machine.Tick()
}

// terminated takes note of the end of whoever followed, or worked: who worked is asked for again.
func (g *gate) terminated(who *actor.PID) {
	g.state.subscribers.remove(who)
	g.state.taps.remove(who)
	g.state.machine.Gone(who)
	if who.Equal(g.sound) {
		g.sound = nil
	}
}

// childStarted takes note of what measures the sound. Workers and topics tell of themselves.
func (g *gate) childStarted(ctx actor.Context, pid *actor.PID) {
	if strings.HasSuffix(pid.Id, "/"+loudness.Name) {
		g.sound = pid
		ctx.Watch(pid)
	}
}

func (g *gate) output(o *process.Output) {
	switch g.state.machine.Output(o) {
	case unfiltered:
		g.Metrics.refused.WithLabelValues("unfiltered").Inc()
	case incomplete:
		g.Metrics.refused.WithLabelValues("incomplete").Inc()
	case passes, unwanted:
	}
}

func (g *gate) fault(f *process.Fault) {
	g.self.Log.Warn("no picture comes of the processing", slog.String("broadcast", g.Key),
		slog.String("rendition", f.Name), slog.String("reason", f.Reason))
	g.state.machine.Fault(f)
}

// up takes note that a topic has begun, for the first time or after a failure.
func (g *gate) up(ctx actor.Context, u *topic.Up) {
	m := g.state.machine
	ctx.Watch(u.PID)
	m.LaneUp(u.Name, u.PID)
	if l := m.lane(u.Name); l != nil && l.topic != nil {
		l.ring = u.Ring
		g.follow(ctx, l)
	}
}

func (g *gate) carryOut(ctx actor.Context) {
	for _, effect := range g.state.machine.Take() {
		switch e := effect.(type) {
		case *Pass:
			ctx.Send(e.Topic, e.Unit)
		case *Seal:
			ctx.Send(e.Topic, &topic.Seal{})
		case *SendOrder:
			ctx.Send(e.To, e.Order)
		case *StartWorker:
			ctx.Request(g.Processing, &supervise.StartChild{Spec: g.Worker(*e)})
		case *StopWorker:
			ctx.Send(g.Processing, &supervise.StopChild{
				Name: WorkerName(e.Name), Reason: "it is not needed any more",
			})
		case *StartLane:
			ctx.Request(g.Renditions, &supervise.StartChild{Spec: g.Topic(e.Name)})
		case *StopLane:
			ctx.Send(g.Renditions, &supervise.StopChild{
				Name: TopicName(e.Name), Reason: "the rendition is removed",
			})
		case *Holds:
			g.holds(ctx, e)
		}
	}
}

func (g *gate) holds(ctx actor.Context, h *Holds) {
	ctx.Send(g.Settings, &settings.Held{
		Key: g.Key, Version: h.Version, Epoch: g.Epoch, State: h.State, PTS: h.PTS, Note: h.Note,
	})
	if h.Version == 0 {
		return
	}
	g.self.Log.Info("settings hold", slog.String("broadcast", g.Key), slog.Uint64("epoch", g.Epoch),
		slog.Uint64("version", h.Version), slog.String("state", string(h.State)),
		slog.Int64("pts_ms", h.PTS.Millis()), slog.String("note", h.Note))
}

func (g *gate) halt() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

// TopicName is the name of a rendition's topic in the tree.
func TopicName(rendition string) string { return "topic/" + rendition }

// WorkerName is the name of a process actor in the tree.
func WorkerName(name string) string { return "process/" + name }
