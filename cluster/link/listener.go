package link

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/supervise"
)

// Producer makes an actor.
type Producer = func(*supervise.Self) actor.Actor

// NewListener returns what makes the producer of the actor that takes the links of nodes that
// follow this one.
func NewListener(o Options, socket *Socket) func(actors.LinkPlace) Producer {
	count := new(atomic.Uint64)
	return func(at actors.LinkPlace) Producer {
		return func(self *supervise.Self) actor.Actor {
			return &listener{
				Options: o, Socket: socket, LinkPlace: at, self: self, count: count,
				young: newcomers(),
			}
		}
	}
}

type listener struct {
	Options
	Socket *Socket
	actors.LinkPlace
	self  *supervise.Self
	root  *actor.RootContext
	count *atomic.Uint64 // of the links so far, which tells their names apart
	young *listen.Caps   // of the connections that are negotiated
}

// Bounds of the connections that have not said hello yet: in all, and from one address, so that no
// stranger can keep the nodes out.
const (
	negotiating = 64
	fromOne     = 16
)

func newcomers() *listen.Caps { return &listen.Caps{Total: negotiating, Address: fromOne} }

// Receive implements actor.Actor.
func (l *listener) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		l.root = ctx.ActorSystem().Root
		l.Socket.resume()
		l.self.Log.Info("listening", slog.String("address", l.Socket.Addr().String()))
		l.self.Goroutines.Go("accept", l.accept)
	case *actor.Restarting:
		l.Socket.pause()
	case *actor.Stopping:
		_ = l.Socket.Close() // it accepts no more either way
	}
}

// patience is how long the tree may take to start the actor of a link.
const patience = 5 * time.Second

// give has an actor of its own take the connection over. An error says that none did.
func (l *listener) give(w *wire) error {
	owned := &atomic.Bool{}
	name := w.node + "." + strconv.FormatUint(l.count.Add(1), 10)
	spec := l.Peer(name, func(self *supervise.Self) actor.Actor {
		return &peer{
			Options: l.Options, wire: w, owned: owned, LinkPlace: l.LinkPlace, self: self, name: name,
			keys: map[string]*followed{}, pins: map[wanted]*pin{},
			named: map[string]wanted{},
		}
	})
	answer, err := l.root.RequestFuture(l.Peers, &supervise.StartChild{Spec: spec}, patience).Result()
	if refused, ok := answer.(*supervise.ChildRefused); ok {
		err = errors.New(refused.Reason)
	}
	if err == nil || owned.Swap(true) {
		l.self.Log.Info("link is up", slog.String("node", w.node), slog.String("actor", "peer/"+name))
		return nil
	}
	return fmt.Errorf("nobody takes the link: %w", err)
}
