package supervise

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/own"
)

// worker is the shell of an actor that does the work of the tree.
type worker struct {
	shell
	inner actor.Actor
	self  *Self
}

// Receive implements actor.Actor. Once it has panicked, an incarnation hears of nothing but its
// end: what protoactor still brings (who was watched and has ended) it is in no state to take.
func (w *worker) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		w.hasFailed = true
		w.started(ctx)
		w.hasFailed = false
		w.up(ctx)
	case *actor.Restarting:
		w.ending(ctx, "restarting", Restarting)
	case *actor.Stopping:
		w.ending(ctx, "stopping", Stopping)
	case *actor.Stopped:
		w.safely("stopped", func() { w.inner.Receive(ctx) })
		w.left(ctx)
	case *ownedFailure:
		w.ownedFailure(msg)
	case *Crash:
		if !w.hasFailed {
			w.hasFailed = true
			panic(fmt.Errorf("drill: %s", msg.Reason))
		}
	default:
		if !w.hasFailed {
			w.hasFailed = true
			w.inner.Receive(ctx)
			w.hasFailed = false
		}
	}
}

func (w *worker) started(ctx actor.Context) {
	w.begin(ctx)
	system, pid := ctx.ActorSystem(), ctx.Self()
	var group *own.Group
	group = own.NewGroup(&w.vital.counts.Goroutines, func(p *own.Panic) {
		w.log().Error("owned goroutine panicked", slog.String("goroutine", p.Name),
			slog.String("panic", fmt.Sprint(p.Value)), slog.String("stack", string(p.Stack)))
		system.Root.Send(pid, &ownedFailure{of: group, panic: p})
	})
	w.self = &Self{Goroutines: group, Log: w.log(), Name: w.vital.Spec.Name}
	w.vital.group.Store(group)
	w.inner = w.vital.Spec.New(w.self)
	w.inner.Receive(ctx)
}

// ownedFailure fails the actor for one of its goroutines: once, and not for one of an incarnation
// that was before.
func (w *worker) ownedFailure(msg *ownedFailure) {
	if !w.hasFailed && msg.of == w.self.Goroutines {
		w.hasFailed = true
		panic(msg.panic)
	}
}

// ending lets the actor end its own affairs, then waits for its goroutines.
func (w *worker) ending(ctx actor.Context, stage string, state State) {
	w.vital.state.Store(int32(state))
	if w.inner == nil { // it failed before it had begun
		w.inner = actor.ReceiveFunc(func(actor.Context) {})
	}
	if w.self == nil {
		return
	}
	w.self.Goroutines.Cancel()
	w.safely(stage, func() { w.inner.Receive(ctx) })
	begin := time.Now()
	if left := w.self.Goroutines.Stop(w.vital.Spec.stopDeadline()); left > 0 {
		w.log().Error("goroutines outlive their actor", slog.Int("left", left),
			slog.Duration("waited", time.Since(begin)))
	}
}
