package link

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// dialer owns the connection to an origin. When that is over it ends, and its supervisor has it
// dial anew, after a pause that grows with every failure.
type dialer struct {
	Options
	name, address string
	table         *table
	self          *supervise.Self
	said          *said
}

// said is the last complaint about an origin: one that cannot be reached is tried once a second,
// and complained of once.
type said struct {
	reason atomic.Int64 // plus one
	// old says that the origin has refused the last hello. One from before hellos had a range takes
	// none but of its own version: the next one says the least that this node speaks.
	old atomic.Bool
}

// heard notes how a hello went. One that went well is said again the next time.
func (s *said) heard(err error) {
	if err != nil {
		s.old.Store(errors.Is(err, errRefusedThere) && !s.old.Load())
	}
}

// speaks are the versions that the next hello says.
func (s *said) speaks() span {
	if s.old.Load() {
		return span{Least, Least}
	}
	return spoken()
}

// over tells the actor that its connection is over, or was none.
type over struct {
	of     any // the incarnation of the actor that had it
	reason Reason
	err    error
}

// Receive implements actor.Actor.
func (d *dialer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		system, self := ctx.ActorSystem(), ctx.Self()
		send := func(to *actor.PID, msg any) { system.Root.Send(to, msg) }
		d.self.Goroutines.Go("read", func(ctx context.Context) {
			reason, err := d.serve(ctx, send)
			send(self, &over{d, reason, err})
		})
	case *over:
		if msg.of == d {
			d.complain(msg)
			ctx.Stop(ctx.Self())
		}
	}
}

// serve has one connection, from its making to its end.
func (d *dialer) serve(ctx context.Context, send sendFunc) (Reason, error) {
	w, reason, err := d.dial(ctx)
	if err != nil {
		d.Metrics.edge.ends[reason].Inc()
		return reason, err
	}
	d.self.Log.Info("link is up", slog.String("origin", d.name), slog.String("address", d.address),
		slog.String("node", w.node))
	d.said.reason.Store(0)
	s := follow(w, d.table, &d.Metrics.edge, send)
	defer d.table.disconnect(s.control, send)
	return s.run(ctx, d.self.Goroutines)
}

// follow makes the edge's session on a connection.
func follow(w *wire, t *table, m *sideMetrics, send sendFunc) *session {
	s := newSession(w, m)
	s.take = func(f *frame) error {
		switch f.typ {
		case typeUnit, typeBegin, typeEnd, typeSeal, typeGone:
			t.take(f, send)
			return nil
		}
		return misplaced(f)
	}
	t.connect(s.control)
	return s
}

func (d *dialer) complain(o *over) {
	level, now := slog.LevelDebug, int64(o.reason)+1
	if d.said.reason.Swap(now) != now && o.reason != Stopped {
		level = slog.LevelWarn
	}
	d.self.Log.Log(context.Background(), level, "link is down", slog.String("origin", d.name),
		slog.String("address", d.address), slog.String("reason", o.reason.String()),
		slog.Any("error", o.err))
}
