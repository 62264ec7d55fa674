package supervise

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

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
		s.abandon(e.child.spec.Name)
	case opRebind:
		if k := s.kids.of(e.child.spec.Name); k != nil {
			s.ctx.Send(k.pid, &Rebind{Sibling: e.name})
		}
	case opTimer:
		s.timers.add(e.n, s.later(e.after, &pauseOver{of: s, name: e.child.spec.Name, n: e.n}))
	case opLinger:
		s.timers.add(e.n, s.later(e.after, &lingerOver{of: s, n: e.n}))
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
	name := c.spec.Name
	vital := s.rt.vital(s.ctx.ActorSystem(), c.spec, s.vital)
	vital.begun(c.starts)
	pid, err := s.ctx.SpawnNamed(s.rt.props(vital), name)
	if err != nil {
		s.log().Error("child does not start", slog.String("child", name), slog.Any("error", err))
		s.refuse(name, err.Error())
		s.machine.spawnFailed(c, err)
		return
	}
	s.kids.add(&kid{pid: pid, vital: vital})
}

func (s *supervisor) restart(c *child) {
	k := s.kids.of(c.spec.Name)
	k.vital.begun(c.starts)
	s.ctx.(actor.Supervisor).RestartChildren(k.pid) //nolint:forcetypeassert // protoactor's is one
}

// stop asks a supervisor to shut down in order, and tells a worker to stop, each with a deadline. A
// failed supervisor hears only the latter.
func (s *supervisor) stop(c *child) {
	name := c.spec.Name
	k := s.kids.of(name)
	if k == nil {
		s.machine.isTerminated(name, time.Now())
		return
	}
	k.vital.state.Store(int32(Stopping)) // it may not come to say so itself
	if c.spec.Strategy == Worker || c.halted {
		s.ctx.Stop(k.pid)
	} else {
		s.ctx.Send(k.pid, &Shutdown{Reason: s.reason})
	}
	if k.deadline == nil {
		s.due(k, name)
	}
}

// due has a child that was told to stop reported when it has not.
func (s *supervisor) due(k *kid, name string) {
	k.deadline = s.later(k.vital.Spec.stopDeadline()+stopMargin, &stopOverdue{name: name, of: k})
}

// overdue stops a supervisor that did not shut down in order, with all that is below it. Whoever
// does not even stop is given up.
func (s *supervisor) overdue(msg *stopOverdue) {
	k := s.kids.of(msg.name)
	if k == nil || k != msg.of || s.over {
		return
	}
	if k.vital.Spec.Strategy != Worker && !k.hard {
		s.log().Error("supervisor does not shut down in order and is stopped",
			slog.String("child", msg.name))
		k.hard = true
		s.ctx.Stop(k.pid)
		s.due(k, msg.name)
		return
	}
	s.machine.overdue(msg.name)
}

// abandon has this supervisor, and protoactor for it, do without a child that does not stop. It
// stays in the census for as long as it lives.
func (s *supervisor) abandon(name string) {
	k := s.kids.of(name)
	if k == nil {
		return
	}
	s.kids.remove(name)
	s.log().Error("child does not stop and is abandoned", slog.String("child", name),
		slog.Duration("deadline", k.vital.Spec.stopDeadline()))
	k.vital.state.Store(int32(Abandoned))
	// Protoactor waits for every child, for ever. This is how it learns that one is no more.
	s.ctx.(actor.MessageInvoker).InvokeSystemMessage( //nolint:forcetypeassert // see restart
		&actor.Terminated{Who: k.pid})
}

func (s *supervisor) terminated(who *actor.PID) {
	name := s.name(who)
	k := s.kids.of(name)
	if k == nil {
		return
	}
	if k.pid != who {
		s.adopt(k, name)
		return
	}
	if k.deadline != nil {
		k.deadline.Stop()
	}
	s.kids.remove(name)
	s.machine.isTerminated(name, time.Now())
}

// adopt has protoactor count a child that it has just struck off: an abandoned namesake of it has
// ended after all, and protoactor tells children by their names.
func (s *supervisor) adopt(k *kid, name string) {
	there := func(*actor.ActorSystem, string, *actor.Props, actor.SpawnerContext) (*actor.PID, error) {
		return k.pid, nil
	}
	props := actor.PropsFromProducer(nil, actor.WithSpawnFunc(there))
	if _, err := s.ctx.SpawnNamed(props, name); err != nil {
		s.log().Error("child is not adopted", slog.String("child", name), slog.Any("error", err))
	}
}

// cease ends this incarnation: protoactor stops the children now, all at once.
func (s *supervisor) cease(state State, reason string) {
	s.over = true
	s.vital.state.Store(int32(state))
	s.machine.halt()
	for name := range s.asking {
		s.refuse(name, reason)
	}
	s.timers.stop()
	longest := time.Duration(0)
	for k := range s.kids.all() {
		if k.deadline != nil {
			k.deadline.Stop()
		}
		longest = max(longest, k.vital.Spec.stopDeadline())
	}
	if s.kids.len() > 0 {
		s.alarm = s.later(longest+stopMargin, &endOverdue{of: s})
	}
}

// endOverdue abandons the children that keep this incarnation from its end.
func (s *supervisor) endOverdue(msg *endOverdue) {
	if msg.of != s {
		return
	}
	for _, name := range s.kids.names() {
		if s.ctx.Actor() != actor.Actor(s) { // that was the last, and the next incarnation is here
			return
		}
		s.abandon(name)
	}
}

func (s *supervisor) escalate(reason error) {
	s.log().Error("supervisor is spent", slog.Any("error", reason))
	s.vital.counts.Spent.Add(1)
	if !s.hasFailed {
		s.hasFailed = true
		s.ctx.(actor.Supervisor).EscalateFailure(reason, nil) //nolint:forcetypeassert // see restart
	}
}
