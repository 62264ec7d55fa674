package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// Seams are the places where a simulation, which runs the tree without sockets and step by step,
// has its own in place of a node's: everything else that it runs is what a node runs. The zero
// Seams changes nothing.
type Seams struct {
	// Spec is given every spec before it is started, with those below it, and returns what is
	// started in its place.
	Spec func(supervise.Spec) supervise.Spec
	// Ask puts a question to an actor for a caller that is no actor, and waits for the answer; it
	// fails with actor.ErrDeadLetter when there is none. Nil means a future of protoactor's, whose
	// answer wakes the caller in the midst of another's step.
	Ask func(ctx context.Context, from actor.SenderContext, to *actor.PID, question any) (any, error)
}

// spec passes a spec through the seam.
func (t *tree) spec(s supervise.Spec) supervise.Spec {
	if t.Seams.Spec != nil {
		return t.Seams.Spec(s)
	}
	return s
}
