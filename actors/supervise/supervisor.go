package supervise

import (
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// supervisor is the actor around a machine.
type supervisor struct {
	shell
	machine *machine
	ctx     actor.Context // protoactor keeps one context an actor, for all its incarnations
	pids    map[string]*actor.PID
	asking  map[string][]*actor.PID // who waits for a child to be up
	stops   map[string]*time.Timer
	reason  string
}

func newSupervisor(rt *Runtime, vital *Vital) *supervisor {
	return &supervisor{
		shell:   shell{rt: rt, vital: vital},
		machine: newMachine(&vital.Spec, rt.jitter()),
		pids:    map[string]*actor.PID{},
		asking:  map[string][]*actor.PID{},
		stops:   map[string]*time.Timer{},
	}
}

// Receive implements actor.Actor.
func (s *supervisor) Receive(ctx actor.Context) {
	s.ctx = ctx
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		s.rt.Census.enter(ctx.Self(), s.vital)
		s.machine.begin()
	case *actor.Terminated:
		s.terminated(msg.Who)
	case *childUp:
		s.childUp(msg.name)
	case *pauseOver:
		s.machine.pauseOver(msg.name)
	case *stopOverdue:
		s.overdue(msg)
	case *lingerOver:
		s.machine.lingered(msg.n)
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
		panic("drill: " + msg.Reason)
	case *actor.Restarting:
		s.vital.state.Store(int32(Restarting))
		s.machine.halt()
		s.refuseAll("supervisor restarts")
		return
	case *actor.Stopping:
		s.vital.state.Store(int32(Stopping))
		s.machine.halt()
		s.refuseAll("supervisor stops")
		return
	case *actor.Stopped:
		s.rt.Census.leave(ctx.Self(), s.vital)
		return
	}
	s.carryOut()
}

// HandleFailure implements actor.SupervisorStrategy: protoactor asks the actor itself.
func (s *supervisor) HandleFailure(_ *actor.ActorSystem, _ actor.Supervisor, who *actor.PID,
	_ *actor.RestartStatistics, reason, _ any,
) {
	name := s.name(who)
	err := failure(reason)
	s.log().Error("actor failed", slog.String("child", name), slog.Any("error", err))
	s.rt.Census.failed(who, err)
	s.machine.isFailed(name, err, time.Now())
	s.carryOut()
}

// name is a child's name below this supervisor; names may hold slashes.
func (s *supervisor) name(pid *actor.PID) string {
	return strings.TrimPrefix(pid.Id, s.ctx.Self().Id+"/")
}

func (s *supervisor) terminated(who *actor.PID) {
	name := s.name(who)
	if timer := s.stops[name]; timer != nil {
		timer.Stop()
		delete(s.stops, name)
	}
	delete(s.pids, name)
	s.machine.isTerminated(name, time.Now())
}

func (s *supervisor) childUp(name string) {
	s.machine.isUp(name)
	for _, who := range s.asking[name] {
		s.ctx.Send(who, &ChildStarted{PID: s.pids[name]})
	}
	delete(s.asking, name)
}

func (s *supervisor) overdue(msg *stopOverdue) {
	if pid := s.pids[msg.name]; pid != nil && pid == msg.pid {
		s.machine.overdue(msg.name)
	}
}

func (s *supervisor) startChild(msg *StartChild) {
	sender := s.ctx.Sender()
	if s.vital.Spec.Strategy != Dynamic {
		s.answer(sender, &ChildRefused{Reason: s.vital.Spec.Name + " takes no children"})
		return
	}
	c, fresh := s.machine.add(msg.Spec)
	switch {
	case c == nil:
		s.answer(sender, &ChildRefused{Reason: s.vital.Spec.Name + " is ending"})
	case c.status == stopping || c.status == departing:
		s.answer(sender, &ChildRefused{Reason: msg.Spec.Name + " is ending"})
	case fresh || c.status == starting:
		if sender != nil {
			s.asking[msg.Spec.Name] = append(s.asking[msg.Spec.Name], sender)
		}
	default:
		s.answer(sender, &ChildStarted{PID: s.pids[msg.Spec.Name], Existing: true})
	}
}

func (s *supervisor) answer(to *actor.PID, msg any) {
	if to != nil {
		s.ctx.Send(to, msg)
	}
}

func (s *supervisor) refuse(name, reason string) {
	for _, who := range s.asking[name] {
		s.ctx.Send(who, &ChildRefused{Reason: reason})
	}
	delete(s.asking, name)
}

func (s *supervisor) refuseAll(reason string) {
	for name := range s.asking {
		s.refuse(name, reason)
	}
}

func (s *supervisor) stopChild(msg *StopChild) {
	if s.machine.end(msg.Name) {
		s.log().Info("child is ended", slog.String("child", msg.Name), slog.String("reason", msg.Reason))
	}
}

// rebindAll passes a Rebind on: whoever is below shares what this supervisor was told.
func (s *supervisor) rebindAll(msg *Rebind) {
	for _, c := range s.machine.children {
		if pid := s.pids[c.spec.Name]; pid != nil && c.status == up {
			s.ctx.Send(pid, msg)
		}
	}
}

// carryOut does what the machine has decided, and what follows from that.
func (s *supervisor) carryOut() {
	for effects := s.machine.take(); len(effects) > 0; effects = s.machine.take() {
		for _, e := range effects {
			s.do(e)
		}
	}
}

func (s *supervisor) do(e effect) {
	switch e.op {
	case opSpawn:
		s.spawn(e.child)
	case opRestart:
		s.restart(e.child)
	case opStop:
		s.stop(e.child)
	case opAbandon:
		s.log().Error("child did not stop in time and is abandoned",
			slog.String("child", e.child.spec.Name), slog.Duration("deadline", e.child.spec.stopDeadline()))
		delete(s.pids, e.child.spec.Name)
	case opRebind:
		s.ctx.Send(s.pids[e.child.spec.Name], &Rebind{Sibling: e.name})
	case opTimer:
		s.later(e.after, &pauseOver{name: e.child.spec.Name})
	case opLinger:
		s.later(e.after, &lingerOver{n: e.n})
	case opUp:
		s.up(s.ctx)
	case opGone:
		s.refuse(e.child.spec.Name, "ended before it was up")
	case opEscalate:
		s.escalate(e.reason)
	case opEnd:
		s.ctx.Stop(s.ctx.Self())
	}
}

func (s *supervisor) later(d time.Duration, msg any) *time.Timer {
	return after(s.ctx.ActorSystem(), s.ctx.Self(), d, msg)
}

func (s *supervisor) spawn(c *child) {
	pid, err := s.ctx.SpawnNamed(s.rt.props(c.spec, s.vital), c.spec.Name)
	if err != nil {
		s.log().Error("child does not start", slog.String("child", c.spec.Name), slog.Any("error", err))
		s.refuse(c.spec.Name, err.Error())
		s.machine.spawnFailed(c, err)
		return
	}
	s.pids[c.spec.Name] = pid
	if c.restarts > 0 {
		s.rt.Census.restarted(pid, c.restarts)
	}
}

func (s *supervisor) restart(c *child) {
	pid := s.pids[c.spec.Name]
	s.rt.Census.restarted(pid, c.restarts)
	s.ctx.(actor.Supervisor).RestartChildren(pid) //nolint:forcetypeassert // protoactor's context is one
}

// stop asks a supervisor to shut down in order, and tells a worker to stop, each with a deadline.
func (s *supervisor) stop(c *child) {
	name, pid := c.spec.Name, s.pids[c.spec.Name]
	if pid == nil {
		s.machine.isTerminated(name, time.Now())
		return
	}
	if c.spec.Strategy == Worker || c.halted {
		s.ctx.Stop(pid)
	} else {
		s.ctx.Send(pid, &Shutdown{Reason: s.reason})
	}
	s.stops[name] = s.later(c.spec.stopDeadline()+stopMargin, &stopOverdue{name: name, pid: pid})
}

func (s *supervisor) escalate(reason error) {
	s.log().Error("supervisor is spent", slog.Any("error", reason))
	s.vital.counts.Spent.Add(1)
	s.ctx.(actor.Supervisor).EscalateFailure(reason, nil) //nolint:forcetypeassert // see restart
}
