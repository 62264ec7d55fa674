package supervise

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/own"
)

// shell is what supervisors and workers have in common: their entry in the census, and handlers of
// their own end that cannot fail. A panic in Stopping would resurrect the actor, one in Stopped would
// leave its supervisor waiting for ever.
type shell struct {
	rt    *Runtime
	vital *Vital
}

func (s *shell) log() *slog.Logger {
	return s.rt.Log.With(slog.String("actor", s.vital.Spec.Name), slog.String("kind", s.vital.Spec.Kind))
}

// up enters the actor into the census and tells its supervisor that the next one can start.
func (s *shell) up(ctx actor.Context) {
	s.vital.state.Store(int32(Running))
	if ctx.Parent() != nil && s.vital.parent != nil {
		ctx.Send(ctx.Parent(), &childUp{name: s.vital.Spec.Name})
	}
}

// safely runs a handler of the actor's end.
func (s *shell) safely(stage string, handle func()) {
	defer func() {
		if value := recover(); value != nil {
			s.log().Error("actor panicked while it ended", slog.String("stage", stage),
				slog.String("panic", fmt.Sprint(value)))
			s.vital.counts.EndPanics.Add(1)
		}
	}()
	handle()
}

// worker is the shell of an actor that does the work of the tree.
type worker struct {
	shell
	inner actor.Actor
	self  *Self
}

// Receive implements actor.Actor.
func (w *worker) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		w.started(ctx)
	case *actor.Restarting:
		w.ending(ctx, "restarting", Restarting)
	case *actor.Stopping:
		w.ending(ctx, "stopping", Stopping)
	case *actor.Stopped:
		w.safely("stopped", func() { w.inner.Receive(ctx) })
		w.rt.Census.leave(ctx.Self(), w.vital)
	case *ownedFailure:
		panic(msg.panic)
	case *Crash:
		panic(fmt.Errorf("drill: %s", msg.Reason))
	default:
		w.inner.Receive(ctx)
	}
}

func (w *worker) started(ctx actor.Context) {
	w.rt.Census.enter(ctx.Self(), w.vital)
	system, pid := ctx.ActorSystem(), ctx.Self()
	group := own.NewGroup(&w.vital.counts.Goroutines, func(p *own.Panic) {
		system.Root.Send(pid, &ownedFailure{panic: p})
	})
	w.self = &Self{Goroutines: group, Log: w.log(), Name: w.vital.Spec.Name}
	w.vital.group.Store(group)
	w.inner = w.vital.Spec.New(w.self)
	w.inner.Receive(ctx)
	w.up(ctx)
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
