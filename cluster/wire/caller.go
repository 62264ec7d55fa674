package wire

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Caller asks other nodes for goroutines that are no actors.
type Caller struct {
	root *actor.RootContext
	wire *actor.PID
}

// NewCaller returns what asks by an actor.
func NewCaller(root *actor.RootContext, wire *actor.PID) *Caller { return &Caller{root, wire} }

// Ask asks a node and waits for the answer, at most until ctx is done.
func (c *Caller) Ask(ctx context.Context, node string, question any) (any, error) {
	return request[any](ctx, c.root, c.wire, &Ask{Node: node, Question: question})
}

// margin is what the actor's own deadline is given to be told.
const margin = 500 * time.Millisecond

// request asks by the actor and waits.
func request[T any](
	ctx context.Context, root *actor.RootContext, wire *actor.PID, a *Ask,
) (reply T, err error) {
	limit := within(a)
	if until, ok := ctx.Deadline(); ok {
		limit = max(min(limit, time.Until(until)), time.Millisecond)
	}
	ask := *a
	ask.Within = limit
	future := root.RequestFuture(wire, &ask, limit+margin)
	result, err := future.Result()
	if err != nil {
		return reply, nodeError(a.Node, "%v", err)
	}
	answered, ok := result.(*Answered)
	if !ok {
		return reply, nodeError(a.Node, "unexpected answer %T", result)
	}
	if answered.Err != nil {
		return reply, answered.Err
	}
	if reply, ok = answered.Reply.(T); !ok {
		return reply, fmt.Errorf("node %s: unexpected answer %T", a.Node, answered.Reply)
	}
	return reply, nil
}
