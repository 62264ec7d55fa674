package supervise

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/own"
)

// Self is what a worker is given by the tree: its goroutines, its logger, its end. There is a new
// one for each incarnation.
type Self struct {
	// Goroutines start the worker's goroutines; they are stopped and awaited when it stops.
	Goroutines *own.Group
	// Log carries the actor's name.
	Log *slog.Logger
	// Name is the actor's name below its supervisor.
	Name string
}

// End ends the actor of ctx, normally, for the stated reason.
func (s *Self) End(ctx actor.Context, reason string) {
	s.Log.Info("actor ends", slog.String("reason", reason))
	ctx.Stop(ctx.Self())
}

// After sends msg to the actor of ctx itself in d, unless the timer is stopped before. A former
// incarnation may have set it: msg says whose it is where that matters.
func After(ctx actor.Context, d time.Duration, msg any) *time.Timer {
	return after(ctx.ActorSystem(), ctx.Self(), d, msg)
}

// Rebind tells a child that an earlier sibling was restarted: whatever it had told that sibling has
// to be told again.
type Rebind struct {
	// Sibling is the name of the restarted actor below their common supervisor.
	Sibling string
}

// Crash makes the actor that receives it panic: a drill of its supervision.
type Crash struct {
	// Reason is what the panic says.
	Reason string
}

// StartChild asks a dynamic supervisor for a child. The answer, a *ChildStarted or *ChildRefused,
// comes when the child is up. A child of that name that is there already is the answer too. A
// supervisor that has no room for the question, or ends before it has read it, refuses.
type StartChild struct{ Spec Spec }

// ChildStarted answers StartChild.
type ChildStarted struct {
	PID *actor.PID
	// Existing says that the child was there before.
	Existing bool
}

// ChildRefused answers StartChild when there will be no such child.
type ChildRefused struct{ Reason string }

// StopChild asks a dynamic supervisor to stop a child for good.
type StopChild struct {
	Name   string
	Reason string
}

// Shutdown asks a supervisor to stop its children, last first, and then itself.
type Shutdown struct{ Reason string }

// The messages between a shell, its supervisor and its timers. They are urgent: no bound of a
// mailbox may cost one, and they keep the order of what protoactor tells of the same actor.
type (
	childUp struct {
		name string
		n    int64 // which start of it
	}
	pauseOver struct {
		of   *supervisor // an earlier incarnation's are void
		name string
		n    int
	}
	lingerOver struct {
		of *supervisor
		n  int
	}
	stopOverdue struct {
		name string
		of   *kid
	}
	endOverdue   struct{ of *supervisor }
	ownedFailure struct {
		of    *own.Group
		panic *own.Panic
	}
)

// Urgent implements mailbox.Urgent.
func (*childUp) Urgent() {}

// Urgent implements mailbox.Urgent.
func (*pauseOver) Urgent() {}

// Urgent implements mailbox.Urgent.
func (*lingerOver) Urgent() {}

// Urgent implements mailbox.Urgent.
func (*stopOverdue) Urgent() {}

// Urgent implements mailbox.Urgent.
func (*endOverdue) Urgent() {}

// Urgent implements mailbox.Urgent.
func (*ownedFailure) Urgent() {}
