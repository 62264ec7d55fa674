package supervise

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/mailbox"
)

// Runtime is what every actor of a tree shares.
type Runtime struct {
	// Census knows the live actors.
	Census *Census
	// Log is the root of the actors' loggers.
	Log *slog.Logger
	// Dispatcher runs the mailboxes; nil means a goroutine for each that has work.
	Dispatcher actor.Dispatcher
	// Batch is passed to the mailboxes (see mailbox.Options).
	Batch int
	// Jitter draws from [0, 1) for back-off pauses; nil means at random.
	Jitter func() float64
}

// Start starts the tree below spec in system. spent is called, once and on an actor's goroutine,
// when its root has failed beyond its limit and has ended: nothing of the tree is left then, but
// what had to be abandoned. The answer is the root.
func (r *Runtime) Start(
	system *actor.ActorSystem, spec Spec, spent func(error),
) (*actor.PID, error) {
	g := &guardian{spent: spent}
	vital := r.vital(system, &spec, nil)
	vital.ended = g.ended
	vital.begun(1)
	props := r.props(vital).Configure(actor.WithGuardian(g))
	pid, err := system.Root.SpawnNamed(props, spec.Name)
	if err != nil {
		return nil, fmt.Errorf("start tree %s: %w", spec.Name, err)
	}
	return pid, nil
}

func (r *Runtime) jitter() func() float64 {
	if r.Jitter != nil {
		return r.Jitter
	}
	return rand.Float64
}

// vital makes the entry of one actor, and its bounded mailbox.
func (r *Runtime) vital(system *actor.ActorSystem, spec *Spec, parent *Vital) *Vital {
	v := &Vital{
		Spec: spec, parent: parent, counts: r.Census.kind(spec.Kind), runtime: r, system: system,
	}
	capacity := int(spec.Mailbox)
	if spec.Strategy == Dynamic {
		capacity = max(capacity, dynamicMailbox)
	}
	v.producer, v.mailbox = mailbox.New(mailbox.Options{
		Capacity: capacity, Batch: r.Batch, Owner: (*owner)(v),
	})
	return v
}

// props are those of one actor: a supervisor's or a worker's shell in its mailbox.
func (r *Runtime) props(v *Vital) *actor.Props {
	opts := []actor.PropsOption{actor.WithMailbox(v.producer)}
	if r.Dispatcher != nil {
		opts = append(opts, actor.WithDispatcher(r.Dispatcher))
	}
	return actor.PropsFromProducer(func() actor.Actor {
		if v.Spec.Strategy == Worker {
			return &worker{shell: shell{rt: r, vital: v}}
		}
		return newSupervisor(r, v)
	}, opts...)
}

// owner is a Vital as its mailbox knows it.
type owner Vital

// Dropped counts a message that a mailbox's bound has cost, and tells of the first, second, fourth
// and so on of a kind.
func (o *owner) Dropped(msg any) {
	if n := o.counts.Drops.Add(1); n&(n-1) == 0 {
		o.runtime.Log.Warn("mailbox is full", slog.String("actor", o.Spec.Name),
			slog.String("kind", o.Spec.Kind), slog.Uint64("dropped", n),
			slog.String("message", fmt.Sprintf("%T", actor.UnwrapEnvelopeMessage(msg))))
	}
	refuseStart(o.system, msg, o.Spec.Name+" is overrun")
}

// Handled implements mailbox.Owner.
func (o *owner) Handled(d time.Duration) { o.counts.messages.observe(d) }

// Unread makes a dead letter of what an actor that has ended did not read.
func (o *owner) Unread(msg any) {
	if !refuseStart(o.system, msg, o.Spec.Name+" has ended") {
		o.system.DeadLetter.SendUserMessage(o.pid, msg)
	}
}

// refuseStart answers a StartChild that its supervisor will not see, and tells whether msg is one.
func refuseStart(system *actor.ActorSystem, msg any, reason string) bool {
	_, inner, sender := actor.UnwrapEnvelope(msg)
	if _, ok := inner.(*StartChild); !ok {
		return false
	}
	if sender != nil {
		system.Root.Send(sender, &ChildRefused{Reason: reason})
	}
	return true
}

// dynamicMailbox holds a crowd that arrives at once: a StartChild, its Up and its end for each.
const dynamicMailbox = 16384

// guardian is told of the failure of the tree's root, on which it may only stop it.
type guardian struct {
	spent  func(error)
	reason atomic.Pointer[error]
}

// HandleFailure implements actor.SupervisorStrategy.
func (g *guardian) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor,
	child *actor.PID, _ *actor.RestartStatistics, reason, _ any,
) {
	err := failure(reason)
	g.reason.CompareAndSwap(nil, &err)
	supervisor.StopChildren(child)
}

// ended tells of the end of a root that has failed.
func (g *guardian) ended() {
	if reason := g.reason.Load(); reason != nil && g.spent != nil {
		g.spent(*reason)
	}
}

// after sends msg to pid in d.
func after(system *actor.ActorSystem, pid *actor.PID, d time.Duration, msg any) *time.Timer {
	return time.AfterFunc(d, func() { system.Root.Send(pid, msg) })
}
