package edge

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// Bounds are how much a viewer may cost the others: nothing.
type Bounds struct {
	// Wait is how long a viewer waits for a broadcast that is not there.
	Wait time.Duration
	// Grace is how long a viewer waits for a broadcast that was there to go on, if longer than
	// Wait.
	Grace time.Duration
	// Behind is how far a viewer may fall behind before it skips to the newest keyframe.
	Behind time.Duration
	// Stall is how long a viewer may take nothing at all before it is closed.
	Stall time.Duration
	// Skips is how many skips a viewer may need in a minute before it is closed.
	Skips int
}

// ViewerOptions make a viewer.
type ViewerOptions struct {
	// Key names the broadcast.
	Key string
	// Topic is the edge's.
	Topic *actor.PID
	// Socket is the viewer's connection; the actor owns it from its start.
	Socket *Socket
	Bounds Bounds
	// Metrics count what is delivered.
	Metrics *Metrics
}

// NewViewer returns the producer of a viewer's actor.
func NewViewer(o ViewerOptions) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor { return &viewer{ViewerOptions: &o, self: self} }
}

// closed tells the actor that its connection is over.
type closed struct{ reason Reason }

type viewer struct {
	*ViewerOptions
	self   *supervise.Self
	writer *writer
	timer  *time.Timer
	begun  time.Time // zero if the connection was given up before
}

// ask is the time to ask the topic for its ring again: the question or its answer may be lost.
type ask struct{}

// askAgain is how long the topic has to answer.
const askAgain = 2 * time.Second

// Receive implements actor.Actor.
func (v *viewer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		v.started(ctx)
	case *supervise.Rebind, *ask:
		v.ask(ctx)
	case *topic.Ring:
		v.begin(ctx, msg)
	case *closed:
		v.self.End(ctx, msg.reason.String())
	case *actor.Stopping, *actor.Restarting:
		v.stopping()
	}
}

func (v *viewer) started(ctx actor.Context) {
	if !v.Socket.Own() {
		v.self.End(ctx, "the listener has given the connection up")
		return
	}
	v.begun = time.Now()
	v.Metrics.joined(v.Socket.Protocol)
	v.ask(ctx)
}

// ask asks for the topic's ring, as long as a viewer waits for a broadcast.
func (v *viewer) ask(ctx actor.Context) {
	switch {
	case v.writer != nil:
		return
	case time.Since(v.begun) > max(v.Bounds.Wait, shortest):
		v.self.End(ctx, "the topic does not answer")
		return
	}
	v.halt()
	ctx.Request(v.Topic, &topic.GetRing{})
	v.timer = supervise.After(ctx, askAgain, &ask{})
}

func (v *viewer) halt() {
	if v.timer != nil {
		v.timer.Stop()
		v.timer = nil
	}
}

// begin starts the writer on the topic's ring.
func (v *viewer) begin(ctx actor.Context, ring *topic.Ring) {
	if v.writer != nil {
		return
	}
	v.halt()
	w := newWriter(v.ViewerOptions, ring, v.self.Goroutines, ctx.ActorSystem(), ctx.Self())
	if v.self.Goroutines.Go("writer", w.run) {
		v.writer = w
		v.Topic = nil // it has served
	}
}

// stopping has the writer say goodbye and end, whatever it waits for, and notes why it ended.
func (v *viewer) stopping() {
	v.halt()
	if v.begun.IsZero() {
		return
	}
	if v.writer == nil {
		v.Socket.finish(v.Socket.Protocol.epilogue(Draining, false), Draining)
		v.Metrics.left(v.Socket.Protocol, Draining)
		return
	}
	v.writer.interrupt()
	v.self.Log.Debug("viewer leaves", slog.String("broadcast", v.Key),
		slog.String("protocol", v.Socket.Protocol.String()))
}
