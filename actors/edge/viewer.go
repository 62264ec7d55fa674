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
	// Grace is how long a viewer waits for a broadcast that was there to go on, if longer than Wait.
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
	return func(self *supervise.Self) actor.Actor { return &viewer{ViewerOptions: o, self: self} }
}

// closed tells the actor that its connection is over.
type closed struct{ reason Reason }

type viewer struct {
	ViewerOptions
	self   *supervise.Self
	writer *writer
}

// Receive implements actor.Actor.
func (v *viewer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		v.Metrics.joined(v.Socket.Protocol)
		ctx.Request(v.Topic, &topic.GetRing{})
	case *supervise.Rebind:
		if v.writer == nil { // the question may be lost
			ctx.Request(v.Topic, &topic.GetRing{})
		}
	case *topic.Ring:
		v.begin(ctx, msg)
	case *closed:
		v.self.End(ctx, msg.reason.String())
	case *actor.Stopping, *actor.Restarting:
		v.stopping()
	}
}

// begin starts the writer on the topic's ring.
func (v *viewer) begin(ctx actor.Context, ring *topic.Ring) {
	if v.writer != nil {
		return
	}
	w := newWriter(&v.ViewerOptions, ring, ctx.ActorSystem(), ctx.Self())
	if v.self.Goroutines.Go("writer", w.run) {
		v.writer = w
	}
}

// stopping has the writer say goodbye and end, whatever it waits for, and notes why it ended.
func (v *viewer) stopping() {
	if v.writer == nil {
		v.Socket.finish(v.Socket.Protocol.epilogue(Draining, false), Draining)
		v.Metrics.left(v.Socket.Protocol, Draining)
		return
	}
	v.writer.interrupt()
	v.self.Log.Debug("viewer leaves", slog.String("broadcast", v.Key),
		slog.String("protocol", v.Socket.Protocol.String()))
}
