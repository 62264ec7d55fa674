package loudness

import (
	"log/slog"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// Name is the actor's name in the tree.
const Name = "loudness"

// Options make the actor.
type Options struct {
	// Key names the broadcast, Epoch its incarnation.
	Key   string
	Epoch uint64
	// Source is the topic whose audio is measured.
	Source *actor.PID
	// Gate gets an *Event every 200 ms of audio.
	Gate *actor.PID
	// Metrics count what is measured.
	Metrics *Metrics
	// Thresholds say what silence and clipping are; the zero Thresholds are the default's.
	Thresholds Thresholds

	open func(config []byte) (decoder, error) // a test's decoder; nil is av's
}

// New returns the producer of the actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	if o.Thresholds == (Thresholds{}) {
		o.Thresholds = DefaultThresholds()
	}
	if o.open == nil {
		o.open = openAAC
	}
	seen := &atomic.Pointer[topic.Unit]{}
	return func(self *supervise.Self) actor.Actor {
		return &loudness{Options: o, self: self, seen: seen}
	}
}

type loudness struct {
	Options
	self   *supervise.Self
	worker *worker
	seen   *atomic.Pointer[topic.Unit] // see worker; it outlives the incarnation
	latest *topic.Unit                 // that was queued
}

// Receive implements actor.Actor.
func (l *loudness) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *topic.Unit:
		l.unit(msg)
	case *topic.Snapshot:
		for _, u := range msg.Units {
			l.unit(u)
		}
	case *actor.Started:
		l.started(ctx)
	case *supervise.Rebind:
		l.subscribe(ctx)
	case *Describe:
		ctx.Respond(l.worker.describe())
	case *actor.Stopping, *actor.Restarting:
		ctx.Send(l.Source, &topic.Unsubscribe{Subscriber: ctx.Self()})
	}
}

func (l *loudness) started(ctx actor.Context) {
	root, gate := ctx.ActorSystem().Root, l.Gate
	l.worker = &worker{
		machine: newMachine(l.Thresholds, l.open),
		queue:   newQueue(),
		seen:    l.seen,
		metrics: l.Metrics,
		log: l.self.Log.With(slog.String("broadcast", l.Key),
			slog.Uint64("epoch", l.Epoch)),
		send: func(e *Event) { root.Send(gate, e) },
	}
	l.worker.report = Report{Key: l.Key, Epoch: l.Epoch}
	l.worker.machine.report(&l.worker.report)
	l.latest = l.seen.Load()
	l.self.Goroutines.Go("measure", l.worker.run)
	l.subscribe(ctx)
}

func (l *loudness) subscribe(ctx actor.Context) {
	ctx.Send(l.Source, &topic.Subscribe{Subscriber: ctx.Self()})
}

// unit queues audio. What a snapshot repeats has been measured.
func (l *loudness) unit(u *topic.Unit) {
	if u.Kind != media.Audio || l.latest != nil && !after(u, l.latest) {
		return
	}
	l.latest = u
	if l.worker.queue.push(u) {
		l.Metrics.dropped.Inc()
	}
}

func after(u, v *topic.Unit) bool {
	return u.Epoch > v.Epoch || u.Epoch == v.Epoch && u.Seq > v.Seq
}
