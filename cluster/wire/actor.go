package wire

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/wire/wirepb"
)

// Name is the actor's name in the tree.
const Name = "wire"

// New returns the producer of the actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor {
		return &wire{Options: o, self: self, table: newTable(rand.Uint64())}
	}
}

type wire struct {
	Options
	self    *supervise.Self
	table   *table
	gateway *gateway // nil until Remote is up

	shelfAway atomic.Bool // it did not work the last time
}

// What the actor's goroutines and Remote tell it. What a former incarnation's do is void.
type (
	up struct {
		of      *wire
		gateway *gateway
	}
	arrived struct {
		of       *wire
		envelope *wirepb.Envelope
	}
	unreachable struct {
		of      *wire
		address string
	}
	late struct {
		of *wire
		id uint64
	}
	served struct {
		of     *wire
		node   string
		id     uint64
		answer any
	}
)

// Receive implements actor.Actor.
func (w *wire) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		root, self := ctx.ActorSystem().Root, ctx.Self()
		if w.Bind != nil {
			w.Bind(NewCaller(root, self))
		}
		w.self.Goroutines.Go("remote", func(c context.Context) { w.run(c, root, self) })
	case *up:
		if msg.of == w {
			w.gateway = msg.gateway
			w.self.Log.Info("listening", slog.String("address", w.advertised()))
		}
	case *Ask:
		w.ask(ctx, msg)
	case *arrived:
		if msg.of == w {
			w.arrived(ctx, msg.envelope)
		}
	case *unreachable:
		if msg.of == w {
			w.unreachable(ctx, msg.address)
		}
	case *late:
		if msg.of == w {
			w.end(ctx, w.table.done(msg.id, ""), nil, "it did not answer in time")
		}
	case *served:
		if msg.of == w {
			w.served(msg)
		}
	case *settings.Store:
		w.store(ctx, msg)
	case *settings.Load:
		w.load(ctx, msg)
	case *actor.Stopping, *actor.Restarting:
		w.stop(ctx)
	}
}

// ask sends a question to another node.
func (w *wire) ask(ctx actor.Context, a *Ask) {
	address, known := w.Address(a.Node)
	wait := &waiting{node: a.Node, address: address, from: ctx.Sender(), since: time.Now()}
	switch {
	case w.gateway == nil:
		w.end(ctx, wait, nil, "this node is not connected yet")
		return
	case !known || address == "":
		w.end(ctx, wait, nil, "there is no such node")
		return
	case !isQuestion(a.Question):
		w.end(ctx, wait, nil, "that is no question")
		return
	}
	e, err := envelope(a.Question)
	if err != nil {
		w.end(ctx, wait, nil, err.Error())
		return
	}
	id, ok := w.table.ask(wait)
	if !ok {
		w.end(ctx, wait, nil, "it has too many questions to answer")
		return
	}
	w.Metrics.waiting.Set(float64(len(w.table.waiting)))
	e.Id, e.From = id, w.Node
	wait.timer = supervise.After(ctx, within(a), &late{of: w, id: id})
	w.gateway.send(address, e)
}

// end answers a question: by what came, or by why nothing will.
func (w *wire) end(ctx actor.Context, q *waiting, reply any, reason string) {
	if q == nil {
		return
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	answer := &Answered{Reply: reply}
	if err, failed := reply.(error); failed {
		answer = &Answered{Err: err}
	}
	if reply == nil {
		answer.Err = nodeError(q.node, "%s", reason)
	}
	w.Metrics.asked(answer.Err, time.Since(q.since))
	w.Metrics.waiting.Set(float64(len(w.table.waiting)))
	if q.from != nil {
		ctx.Send(q.from, answer)
	}
}

// arrived takes what another node sent: an answer, or a question.
func (w *wire) arrived(ctx actor.Context, e *wirepb.Envelope) {
	if answer := reply(e); answer != nil {
		w.end(ctx, w.table.done(e.GetId(), e.GetFrom()), answer, "")
		return
	}
	if _, member := w.Address(e.GetFrom()); !member {
		w.Metrics.strange.Inc()
		return
	}
	q, err := question(e)
	switch {
	case err != nil:
		w.answer(e.GetFrom(), e.GetId(), err)
	case !w.table.serve(e.GetFrom()):
		w.answer(e.GetFrom(), e.GetId(), nodeError(w.Node, "it has too many questions to answer"))
	default:
		w.serve(ctx, e.GetFrom(), e.GetId(), q)
	}
}

// serve answers a question on a goroutine of its own.
func (w *wire) serve(ctx actor.Context, node string, id uint64, q any) {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	began := w.self.Goroutines.Go("serve", func(c context.Context) {
		c, cancel := context.WithTimeout(c, commandTime)
		defer cancel()
		root.Send(self, &served{of: w, node: node, id: id, answer: w.Local.answer(c, q)})
	})
	if !began {
		w.table.served(node)
	}
}

func (w *wire) served(s *served) {
	w.table.served(s.node)
	w.answer(s.node, s.id, s.answer)
}

// answer sends an answer to a node, as long as it is a member.
func (w *wire) answer(node string, id uint64, what any) {
	err, _ := what.(error)
	w.Metrics.served(err)
	address, known := w.Address(node)
	if !known || w.gateway == nil {
		return
	}
	e, err := envelope(what)
	if err != nil {
		w.self.Log.Error("an answer cannot be sent", slog.Any("error", err))
		return
	}
	e.Id, e.From = id, w.Node
	w.gateway.send(address, e)
}

// unreachable ends what was asked of a node whose connection is lost.
func (w *wire) unreachable(ctx actor.Context, address string) {
	w.self.Log.Info("the connection to a node is lost", slog.String("address", address))
	for _, q := range w.table.lost(address) {
		w.end(ctx, q, nil, "the connection to it is lost")
	}
}

func (w *wire) stop(ctx actor.Context) {
	w.gateway = nil
	for id := range w.table.waiting {
		w.end(ctx, w.table.done(id, ""), nil, "this node stops")
	}
	if _, stopping := ctx.Message().(*actor.Stopping); stopping {
		_ = w.Socket.Close()
	}
}

// advertised is where others reach this node.
func (w *wire) advertised() string {
	if w.Advertise != "" {
		return w.Advertise
	}
	return w.Socket.Addr().String()
}
