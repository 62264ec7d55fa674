package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/supervise"
)

// instrument puts a probe around every worker below a spec.
func (w *world) instrument(s supervise.Spec) supervise.Spec {
	if s.New != nil {
		s.New = w.probed(s.Kind, s.New)
	}
	for _, below := range []*[]supervise.Spec{&s.Children, &s.Templates} {
		*below = slices.Clone(*below)
		for i := range *below {
			(*below)[i] = w.instrument((*below)[i])
		}
	}
	return s
}

func (w *world) probed(
	kind string, make func(*supervise.Self) actor.Actor,
) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor {
		return &probe{world: w, kind: kind, inner: make(self)}
	}
}

// client is who asks the tree for something.
type client interface {
	// starting is told which child the tree is asked to start for it.
	starting(w *world, spec *supervise.Spec)
}

type clientKey struct{}

func contextOf(c client) context.Context {
	return context.WithValue(context.Background(), clientKey{}, c)
}

// patience is how long a client waits for an answer, as a node's does.
const patience = 5 * time.Second

// ask implements actors.Seams: the answer wakes the client when the dispatcher draws it, not in the
// midst of the step that gives it.
func (w *world) ask(
	ctx context.Context, from actor.SenderContext, to *actor.PID, question any,
) (any, error) {
	r, pid := w.question(ctx, from, to, question)
	defer from.ActorSystem().ProcessRegistry.Remove(pid)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case answer := <-r.answer:
		if _, dead := answer.(*actor.DeadLetterResponse); dead {
			return nil, actor.ErrDeadLetter
		}
		return answer, nil
	case <-timer.C:
		return nil, actor.ErrTimeout
	}
}

func (w *world) question(
	ctx context.Context, from actor.SenderContext, to *actor.PID, question any,
) (*reply, *actor.PID) {
	w.turn.Lock()
	defer w.turn.Unlock()
	start, isStart := question.(*supervise.StartChild)
	if c, ok := ctx.Value(clientKey{}).(client); ok && isStart {
		c.starting(w, &start.Spec)
	}
	w.asked++
	r := &reply{world: w, answer: make(chan any, 1)}
	pid, _ := from.ActorSystem().ProcessRegistry.Add(r, fmt.Sprintf("asker/%d", w.asked))
	w.trace.add(pid.Id, "ask", fmt.Sprintf("%s %T", short(to.Id), question))
	from.RequestWithCustomSender(to, question, pid)
	return r, pid
}

// reply is the process that takes an answer.
type reply struct {
	world  *world
	given  bool
	answer chan any
}

// SendUserMessage implements actor.Process.
func (r *reply) SendUserMessage(pid *actor.PID, msg any) {
	if r.given {
		return
	}
	r.given = true
	_, answer, _ := actor.UnwrapEnvelope(msg)
	r.world.trace.add(pid.Id, "answer", fmt.Sprintf("%T", answer))
	r.world.dispatcher.Schedule(func() { r.answer <- answer })
}

// SendSystemMessage implements actor.Process.
func (r *reply) SendSystemMessage(pid *actor.PID, msg any) { r.SendUserMessage(pid, msg) }

// Stop implements actor.Process.
func (r *reply) Stop(*actor.PID) {}
