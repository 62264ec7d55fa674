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

// Start starts the tree below spec in system. spent is called, once and on an actor's goroutine, when
// its root has failed beyond its limit: nothing of the tree is left then. The answer is the root.
func (r *Runtime) Start(system *actor.ActorSystem, spec Spec, spent func(error)) (*actor.PID, error) {
	props := r.props(spec, nil).Configure(actor.WithGuardian(&guardian{spent: spent}))
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

// props are those of one actor: a supervisor's or a worker's shell in a bounded mailbox.
func (r *Runtime) props(spec Spec, parent *Vital) *actor.Props {
	counts := r.Census.kind(spec.Kind)
	capacity := spec.Mailbox
	if spec.Strategy == Dynamic {
		capacity = max(capacity, dynamicMailbox)
	}
	producer, stats := mailbox.New(mailbox.Options{
		Capacity: capacity,
		Batch:    r.Batch,
		Dropped:  func(any) { counts.Drops.Add(1) },
		Handled:  counts.observe,
	})
	vital := &Vital{Spec: spec, parent: parent, mailbox: stats, counts: counts}
	opts := []actor.PropsOption{actor.WithMailbox(producer)}
	if r.Dispatcher != nil {
		opts = append(opts, actor.WithDispatcher(r.Dispatcher))
	}
	return actor.PropsFromProducer(func() actor.Actor {
		if spec.Strategy == Worker {
			return &worker{shell: shell{rt: r, vital: vital}}
		}
		return newSupervisor(r, vital)
	}, opts...)
}

// dynamicMailbox holds a crowd that arrives at once: a StartChild, its Up and its end for each.
const dynamicMailbox = 16384

// guardian is told of the failure of the tree's root, on which it may only stop it.
type guardian struct {
	spent func(error)
	told  atomic.Bool
}

// HandleFailure implements actor.SupervisorStrategy.
func (g *guardian) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any,
) {
	supervisor.StopChildren(child)
	if g.told.CompareAndSwap(false, true) && g.spent != nil {
		g.spent(failure(reason))
	}
}

// failure makes an error of what an actor panicked with.
func failure(reason any) error {
	if err, ok := reason.(error); ok {
		return err
	}
	return fmt.Errorf("panic: %v", reason)
}

// after sends msg to pid in d.
func after(system *actor.ActorSystem, pid *actor.PID, d time.Duration, msg any) *time.Timer {
	return time.AfterFunc(d, func() { system.Root.Send(pid, msg) })
}
