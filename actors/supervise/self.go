package supervise

import (
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/own"
)

// Self is what a worker is given by the tree: its goroutines, its logger, its end. There is a new one
// for each incarnation.
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
// comes when the child is up. A child of that name that is there already is the answer too.
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

// The messages between a shell and its supervisor.
type (
	childUp     struct{ name string }
	pauseOver   struct{ name string }
	stopOverdue struct {
		name string
		pid  *actor.PID
	}
	lingerOver   struct{ n int }
	ownedFailure struct{ panic *own.Panic }
)
