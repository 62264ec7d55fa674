package ingest

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/timeline"
)

// Options make an ingest.
type Options struct {
	// Key names the broadcast, Epoch its incarnation.
	Key   string
	Epoch uint64
	// Start is where the timeline begins.
	Start timeline.Start
	// Topic takes the units.
	Topic *actor.PID
	// Conn is the publisher's connection. The simulation has none and sends Packets itself.
	Conn *Conn
	// Metrics count what arrives.
	Metrics *Metrics
}

// Name is the actor's name in the tree.
const Name = "ingest"

// New returns the producer of the actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	granted := time.Now()
	return func(self *supervise.Self) actor.Actor {
		return &ingest{
			Options: o,
			self:    self,
			granted: granted,
			machine: NewMachine(o.Epoch, o.Start),
			credits: make(chan struct{}, inFlight),
		}
	}
}

// inFlight is how many packets may be between the reader and the machine.
const inFlight = 64

type ingest struct {
	Options
	self    *supervise.Self
	machine *Machine
	credits chan struct{} // a token for each packet on its way
	lost    Lost          // why it ends
	begun   time.Time
	granted time.Time   // when Start was where it said; zero once it is passed
	moving  *time.Timer // runs once the publisher is asked to go
}

// Receive implements actor.Actor.
func (i *ingest) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *Packet:
		i.packet(ctx, msg)
	case *actor.Started:
		i.started(ctx)
	case *supervise.Rebind:
		i.attach(ctx)
	case *Lost:
		i.end(ctx, *msg)
	case *Move:
		i.move(ctx, msg)
	case *moveOver:
		i.moved(ctx, msg)
	case *topic.Ended:
		i.end(ctx, Lost{Reason: msg.Reason})
	case *actor.Stopping, *actor.Restarting:
		i.stopping()
	}
}

func (i *ingest) started(ctx actor.Context) {
	i.begun = time.Now()
	i.attach(ctx)
	if i.Conn == nil {
		return
	}
	i.Metrics.publishers.Inc()
	i.self.Log.Info("publisher is connected", slog.String("broadcast", i.Key),
		slog.Uint64("epoch", i.Epoch), slog.String("remote", i.Conn.RemoteAddr().String()))
	r := &reader{
		conn: i.Conn, credits: i.credits, system: ctx.ActorSystem(), self: ctx.Self(),
	}
	i.self.Goroutines.Go("reader", r.run)
}

func (i *ingest) attach(ctx actor.Context) {
	ctx.Send(i.Topic, &topic.Attach{Epoch: i.Epoch, Publisher: ctx.Self()})
}

// packet passes a message on. The credit goes back whatever comes of it.
func (i *ingest) packet(ctx actor.Context, p *Packet) {
	select {
	case <-i.credits:
	default: // the simulation takes none
	}
	i.Metrics.arrived(&p.Message)
	if i.Conn != nil && !i.granted.IsZero() {
		i.machine.Later(media.Time(time.Since(i.granted)))
		i.granted = time.Time{}
	}
	unit, err := i.machine.Message(&p.Message, p.Arrival)
	switch {
	case errors.Is(err, ErrGarbage):
		i.Metrics.malformed.Inc()
		i.end(ctx, Lost{Reason: err.Error()})
	case err != nil:
		i.Metrics.malformed.Inc()
		i.self.Log.Warn("publisher's message is dropped", slog.String("broadcast", i.Key),
			slog.Int("malformed", i.machine.Malformed()), slog.Any("error", err))
	case unit != nil:
		unit.Arrived = p.Arrived
		ctx.Send(i.Topic, unit)
	}
}

// moveGrace is how long a publisher has who is asked to go: for a keyframe to come, at which he can
// change over, and for connecting elsewhere.
const moveGrace = 5 * time.Second

// lastMove is how long he has after he was told that this is the end: what is told to an encoder
// that still sends is lost if the connection is closed at once.
const lastMove = 500 * time.Millisecond

// moveOver is the end of moveGrace.
type moveOver struct{ why Lost }

// move asks the publisher to go, once.
func (i *ingest) move(ctx actor.Context, msg *Move) {
	to := msg.To(i.Key)
	if to == "" || i.moving != nil {
		return
	}
	if i.Conn != nil {
		i.Conn.move(to[:strings.LastIndexByte(to, '/')], msg.Reason+"; go to "+to)
	}
	i.self.Log.Info("publisher is asked to go", slog.String("broadcast", i.Key),
		slog.Uint64("epoch", i.Epoch), slog.String("to", to))
	why := Lost{Reason: msg.Reason + "; go to " + to}
	i.moving = supervise.After(ctx, moveGrace, &moveOver{why})
}

// moved tells a publisher who has not gone why he has to, and then lets go of him.
func (i *ingest) moved(ctx actor.Context, msg *moveOver) {
	if i.Conn != nil {
		i.Conn.ending(msg.why)
	}
	i.moving = supervise.After(ctx, lastMove, &msg.why)
}

func (i *ingest) end(ctx actor.Context, why Lost) {
	if i.lost.Reason == "" {
		i.lost = why
		i.self.End(ctx, why.Reason)
	}
}

// stopping tells the publisher why and closes his connection, which ends the reader.
func (i *ingest) stopping() {
	if i.moving != nil {
		i.moving.Stop()
	}
	if i.Conn == nil {
		return
	}
	if i.lost.Reason == "" {
		i.lost.Reason = "the broadcast ends on this node"
	}
	i.Conn.bye(i.lost)
	i.Metrics.publishers.Dec()
	i.self.Log.Info("publisher is gone", slog.String("broadcast", i.Key),
		slog.Uint64("epoch", i.Epoch), slog.String("reason", i.lost.Reason),
		slog.Duration("after", time.Since(i.begun).Round(time.Millisecond)))
}
