package listen

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// RTMPOptions make an RTMP listener.
type RTMPOptions struct {
	// Socket is the listening socket; it outlives the actor's restarts.
	Socket *ListenSocket
	// Desk takes the connections.
	Desk *Desk
	// Limits bound what a peer may send before it publishes or plays.
	Limits rtmp.Limits
	// Handshake is the time for all of the negotiation.
	Handshake time.Duration
	// Idle is how long a publisher may be silent.
	Idle time.Duration
	// SendBuffer bounds what the kernel holds for a viewer, in bytes.
	SendBuffer int
	// Caps bound the connections.
	Caps *Caps
	// Metrics count them.
	Metrics *Metrics
}

// NewRTMP returns the producer of an RTMP listener's actor.
func NewRTMP(o RTMPOptions) func(*supervise.Self) actor.Actor {
	prepareLibrary()
	return func(self *supervise.Self) actor.Actor { return &rtmpListener{RTMPOptions: o, self: self} }
}

type rtmpListener struct {
	RTMPOptions
	self *supervise.Self
}

// Receive implements actor.Actor.
func (l *rtmpListener) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		l.Socket.resume()
		l.self.Log.Info("listening", slog.String("address", l.Socket.Addr().String()))
		l.self.Goroutines.Go("accept", l.accept)
	case *actor.Restarting:
		l.Socket.pause()
	case *actor.Stopping:
		_ = l.Socket.Close() // it accepts no more either way
	}
}
