package supervise

import (
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// supervisor is the actor around a machine. Most have few children and hardly ever a timer: what
// it holds of them is made when it is needed.
type supervisor struct {
	shell
	machine *machine
	ctx     actor.Context // protoactor keeps one context an actor, for all its incarnations
	kids    kids
	asking  map[string][]asker
	timers  timers
	alarm   *time.Timer // runs while it ends with children left
	over    bool        // it is being stopped or restarted
	reason  string
}

// kid is the actor of a child.
type kid struct {
	pid      *actor.PID
	vital    *Vital
	deadline *time.Timer // runs while it has to stop
	hard     bool        // a supervisor that did not shut down in order, and was stopped
}

// asker waits for a child to be up.
type asker struct {
	pid      *actor.PID
	existing bool
}

func newSupervisor(rt *Runtime, vital *Vital) *supervisor {
	return &supervisor{
		shell:   shell{rt: rt, vital: vital},
		machine: newMachine(vital.Spec, rt.jitter()),
	}
}

// Receive implements actor.Actor.
func (s *supervisor) Receive(ctx actor.Context) {
	s.ctx = ctx
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		s.begin(ctx)
		s.machine.begin()
	case *actor.Terminated:
		s.terminated(msg.Who)
	case *childUp:
		s.childUp(msg)
	case *pauseOver:
		s.pauseOver(msg)
	case *stopOverdue:
		s.overdue(msg)
	case *lingerOver:
		s.lingerOver(msg)
	case *endOverdue:
		s.endOverdue(msg)
	case *StartChild:
		s.startChild(msg)
	case *StopChild:
		s.stopChild(msg)
	case *Rebind:
		s.rebindAll(msg)
	case *Shutdown:
		s.reason = msg.Reason
		s.machine.shutdown()
	case *Crash:
		s.crash(msg)
	case *actor.Restarting:
		s.cease(Restarting, "supervisor restarts")
	case *actor.Stopping:
		s.cease(Stopping, "supervisor stops")
	case *actor.Stopped:
		s.left(ctx)
	}
	s.carryOut()
}

// HandleFailure implements actor.SupervisorStrategy: protoactor asks the actor itself.
func (s *supervisor) HandleFailure(_ *actor.ActorSystem, _ actor.Supervisor, who *actor.PID,
	_ *actor.RestartStatistics, reason, _ any,
) {
	name, err := s.name(who), failure(reason)
	k := s.kids.of(name)
	if k == nil || k.pid != who {
		return // it was abandoned, and ends by the stop that it was told of
	}
	s.log().Error("actor failed", slog.String("child", name), slog.Any("error", err),
		slog.String("on", on(err)), slog.String("stack", stack(err)))
	k.vital.failed(err)
	s.machine.isFailed(name, err, time.Now())
	s.carryOut()
}

// name is a child's name below this supervisor; names may hold slashes.
func (s *supervisor) name(pid *actor.PID) string {
	return strings.TrimPrefix(pid.Id, s.ctx.Self().Id+"/")
}

// crash fails this supervisor, unless it has failed or is on its way already.
func (s *supervisor) crash(msg *Crash) {
	if !s.hasFailed && !s.over {
		s.hasFailed = true
		panic("drill: " + msg.Reason)
	}
}

// childUp passes on that a child has started; what an earlier incarnation of it said is void.
func (s *supervisor) childUp(msg *childUp) {
	k := s.kids.of(msg.name)
	if k == nil || k.vital.starts.Load() != msg.n {
		return
	}
	s.machine.isUp(msg.name, int(msg.n))
	for _, who := range s.asking[msg.name] {
		s.ctx.Send(who.pid, &ChildStarted{PID: k.pid, Existing: who.existing})
	}
	delete(s.asking, msg.name)
}

func (s *supervisor) pauseOver(msg *pauseOver) {
	if msg.of == s {
		s.timers.remove(msg.n)
		s.machine.pauseOver(msg.name, msg.n)
	}
}

func (s *supervisor) lingerOver(msg *lingerOver) {
	if msg.of == s {
		s.timers.remove(msg.n)
		s.machine.lingered(msg.n)
	}
}

func (s *supervisor) startChild(msg *StartChild) {
	sender, name := s.ctx.Sender(), msg.Spec.Name
	if s.vital.Spec.Strategy != Dynamic {
		s.answer(sender, &ChildRefused{Reason: s.vital.Spec.Name + " takes no children"})
		return
	}
	c, fresh := s.machine.add(&msg.Spec)
	switch {
	case c == nil:
		s.answer(sender, &ChildRefused{Reason: s.vital.Spec.Name + " is ending"})
	case c.status == stopping || c.status == departing:
		s.answer(sender, &ChildRefused{Reason: name + " is ending"})
	case c.status == starting || c.status == failed:
		if sender != nil {
			if s.asking == nil {
				s.asking = map[string][]asker{}
			}
			s.asking[name] = append(s.asking[name], asker{pid: sender, existing: !fresh})
		}
	default:
		s.answer(sender, &ChildStarted{PID: s.kids.of(name).pid, Existing: true})
	}
}

func (s *supervisor) answer(to *actor.PID, msg any) {
	if to != nil {
		s.ctx.Send(to, msg)
	}
}

func (s *supervisor) refuse(name, reason string) {
	for _, who := range s.asking[name] {
		s.ctx.Send(who.pid, &ChildRefused{Reason: reason})
	}
	delete(s.asking, name)
}

func (s *supervisor) stopChild(msg *StopChild) {
	if s.machine.end(msg.Name) {
		s.log().Info("child is ended", slog.String("child", msg.Name),
			slog.String("reason", msg.Reason))
	}
}

// rebindAll passes a Rebind on: whoever is below shares what this supervisor was told.
func (s *supervisor) rebindAll(msg *Rebind) {
	for _, c := range s.machine.children {
		if k := s.kids.of(c.spec.Name); k != nil && (c.status == up || c.status == starting) {
			s.ctx.Send(k.pid, msg)
		}
	}
}
