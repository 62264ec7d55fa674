package supervise

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// errEnded is why a permanent child that stopped by itself is started again.
var errEnded = errors.New("it ended by itself")

// machine is a supervisor without its actor: what happens goes in, what to do comes out.
type machine struct {
	spec     *Spec
	jitter   func() float64
	children []*child
	names    map[string]*child
	failures []time.Time // within the limit's window
	phase    phase
	effects  []effect
	idle     int // counts the times the last child left: a Linger timer of an older time is void
}

type phase uint8

const (
	phaseStarting phase = iota // not all children were up yet
	phaseRunning
	phaseStopping // orderly, last child first
	phaseEnded
)

type status uint8

const (
	down     status = iota // to be started
	starting               // spawned or restarting, its Started not handled yet
	up
	failed    // waits for its restart
	stopping  // told to stop
	departing // told to stop, to be forgotten after
	gone      // ended and not to come back
)

type child struct {
	spec     Spec
	index    int // in children
	status   status
	failures []time.Time
	ready    bool // failed: its pause is over
	spawn    bool // failed: it ended by itself, there is nothing left to restart
	stop     bool // has to stop, as an earlier sibling failed
	halted   bool // has failed: it hears nothing but system messages
	restarts int
}

type op uint8

const (
	opSpawn op = iota
	opRestart
	opStop
	opAbandon
	opRebind
	opTimer
	opLinger
	opUp
	opEscalate
	opEnd
	opGone
)

// effect is one thing for the actor to do.
type effect struct {
	op     op
	child  *child
	name   string // opRebind: the sibling that was restarted
	after  time.Duration
	reason error
	n      int
}

func newMachine(spec *Spec, jitter func() float64) *machine {
	m := &machine{spec: spec, jitter: jitter, names: map[string]*child{}}
	for i := range spec.Children {
		m.admit(&child{spec: spec.Children[i]})
	}
	return m
}

func (m *machine) admit(c *child) {
	c.index = len(m.children)
	m.children = append(m.children, c)
	m.names[c.spec.Name] = c
}

func (m *machine) emit(e effect) { m.effects = append(m.effects, e) }

// take returns the effects since the last take.
func (m *machine) take() []effect {
	out := m.effects
	m.effects = nil
	return out
}

func (m *machine) child(name string) *child { return m.names[name] }

// begin starts the children in order.
func (m *machine) begin() { m.advance() }

// add starts one more child of a dynamic supervisor. It returns the child and whether it is new; nil
// when the supervisor is ending.
func (m *machine) add(spec Spec) (c *child, fresh bool) {
	if m.phase >= phaseStopping {
		return nil, false
	}
	if c = m.child(spec.Name); c != nil {
		return c, false
	}
	c = &child{spec: spec, status: starting}
	m.admit(c)
	m.emit(effect{op: opSpawn, child: c})
	return c, true
}

// spawnFailed takes back a child that could not be spawned. A dynamic supervisor does without it; to
// any other it is one of its parts, without which it cannot go on.
func (m *machine) spawnFailed(c *child, err error) {
	c.status = gone
	m.forget(c)
	if m.spec.Strategy != Dynamic {
		m.escalate(fmt.Errorf("supervisor %s: start %s: %w", m.spec.Name, c.spec.Name, err))
		return
	}
	m.advance()
}

func (m *machine) escalate(reason error) {
	m.phase = phaseEnded
	m.emit(effect{op: opEscalate, reason: reason})
}

// isUp notes that a child has handled its Started.
func (m *machine) isUp(name string) {
	c := m.child(name)
	if c == nil || c.status != starting {
		return
	}
	c.status = up
	m.advance()
}

// isFailed notes that a child has panicked. It stays suspended until it is restarted or stopped.
func (m *machine) isFailed(name string, reason error, now time.Time) {
	c := m.child(name)
	if c == nil || m.phase == phaseEnded {
		return
	}
	c.halted = true
	if m.phase == phaseStopping || c.status == stopping || c.status == departing {
		m.stop(c) // its failure is no news: it was to go anyway
		return
	}
	if c.spec.Restart == Temporary {
		c.status = departing
		m.emit(effect{op: opStop, child: c, reason: reason})
		return
	}
	m.failure(c, false, reason, now)
}

// failure counts a failure of c against the limit and has it back after a pause: restarted in place,
// or spawned anew where it is already gone.
func (m *machine) failure(c *child, spawn bool, reason error, now time.Time) {
	limit := m.spec.limit()
	m.failures = append(within(m.failures, now, limit.Within), now)
	c.failures = append(within(c.failures, now, limit.Within), now)
	if len(m.failures) > limit.Max {
		m.escalate(fmt.Errorf("supervisor %s spent: %d failures in %v, the last of %s: %w",
			m.spec.Name, len(m.failures), limit.Within, c.spec.Name, reason))
		return
	}
	c.status, c.ready, c.spawn, c.stop = failed, false, spawn, false
	pause := m.spec.backoff().pause(len(c.failures), m.jitter())
	m.emit(effect{op: opTimer, child: c, after: pause})
	if m.spec.Strategy == RestForOne {
		m.markRest(c)
	}
	m.advance()
}

// markRest marks those declared after c to be stopped before c is restarted.
func (m *machine) markRest(c *child) {
	for _, later := range m.children[c.index+1:] {
		if !later.spec.Rebind && later.status != down && later.status != gone {
			later.stop = true
		}
	}
}

// pauseOver notes that a failed child's back-off is over.
func (m *machine) pauseOver(name string) {
	if c := m.child(name); c != nil && c.status == failed {
		c.ready = true
		if m.spec.Strategy == Dynamic {
			m.revive(c)
			return
		}
		m.advance()
	}
}

// revive has a failed child back.
func (m *machine) revive(c *child) {
	c.status, c.halted = starting, false
	c.restarts++
	if c.spawn {
		m.emit(effect{op: opSpawn, child: c})
	} else {
		m.emit(effect{op: opRestart, child: c})
	}
}

// isTerminated notes that a child's actor is no more.
func (m *machine) isTerminated(name string, now time.Time) {
	c := m.child(name)
	if c == nil || m.phase == phaseEnded {
		return
	}
	was := c.status
	switch {
	case m.phase == phaseStopping, was == departing,
		was != stopping && c.spec.Restart != Permanent,
		c.spec.Restart == Temporary:
		m.isGone(c, was)
	case was == stopping:
		c.status, c.stop = down, false
		m.advance()
	default:
		m.failure(c, true, errEnded, now)
	}
}

func (m *machine) isGone(c *child, was status) {
	c.status, c.stop = gone, false
	m.emit(effect{op: opGone, child: c})
	m.forget(c)
	if c.spec.Significant && m.phase < phaseStopping && was != departing {
		m.phase = phaseStopping
	}
	m.advance()
}

// forget drops a dynamic child that will not come back.
func (m *machine) forget(c *child) {
	if m.spec.Strategy != Dynamic {
		return
	}
	last := len(m.children) - 1
	m.children[c.index] = m.children[last]
	m.children[c.index].index = c.index
	m.children[last] = nil
	m.children = m.children[:last]
	delete(m.names, c.spec.Name)
	if len(m.children) == 0 && m.phase < phaseStopping && m.spec.Linger > 0 {
		m.idle++
		m.emit(effect{op: opLinger, after: m.spec.Linger, n: m.idle})
	}
}

// lingered ends a dynamic supervisor that has stayed without children.
func (m *machine) lingered(n int) {
	if n == m.idle && len(m.children) == 0 && m.phase < phaseStopping {
		m.phase = phaseStopping
		m.advance()
	}
}

// end stops one child for good.
func (m *machine) end(name string) bool {
	c := m.child(name)
	if c == nil {
		return false
	}
	if c.status == down || c.status == gone {
		c.status = gone
		m.forget(c)
		return true
	}
	c.status = departing
	m.emit(effect{op: opStop, child: c})
	return true
}

// shutdown stops all children in reverse order, then the supervisor itself.
func (m *machine) shutdown() {
	if m.phase < phaseStopping {
		m.phase = phaseStopping
		m.advance()
	}
}

// halt ends the machine from outside: its actor is being stopped or restarted, children and all.
func (m *machine) halt() { m.phase = phaseEnded }

// overdue gives up on a child that did not stop in time.
func (m *machine) overdue(name string) {
	c := m.child(name)
	if c == nil || (c.status != stopping && c.status != departing) {
		return
	}
	m.emit(effect{op: opAbandon, child: c})
	if m.phase < phaseStopping && c.status == stopping { // its name is taken: it cannot come back
		m.escalate(fmt.Errorf("supervisor %s: %s did not stop in %v",
			m.spec.Name, name, c.spec.stopDeadline()))
		return
	}
	m.isGone(c, departing)
}

// advance does whatever can be done next. It is called after every change.
func (m *machine) advance() {
	switch m.phase {
	case phaseStarting, phaseRunning:
		if m.spec.Strategy == Dynamic { // its children do not wait for each other
			m.running()
			return
		}
		if m.stopMarked() || m.restartReady() || m.startDown() {
			return
		}
		if m.allUp() {
			m.running()
		}
	case phaseStopping:
		m.stopNext()
	case phaseEnded:
	}
}

func (m *machine) running() {
	if m.phase == phaseStarting {
		m.phase = phaseRunning
		m.emit(effect{op: opUp})
	}
}

// stopMarked stops the marked children one by one, the last first, and reports whether one is left.
func (m *machine) stopMarked() bool {
	for i := len(m.children) - 1; i >= 0; i-- {
		if c := m.children[i]; c.stop {
			m.stop(c)
			return true
		}
	}
	return false
}

func (m *machine) stop(c *child) {
	if c.status == stopping || c.status == departing {
		return
	}
	c.status = stopping
	m.emit(effect{op: opStop, child: c})
}

// restartReady restarts failed children whose pause is over, the first first; those after a failed
// one that waits are held back under rest-for-one. It reports whether to go no further.
func (m *machine) restartReady() bool {
	for i, c := range m.children {
		if c.status != failed {
			continue
		}
		if !c.ready {
			if m.spec.Strategy == RestForOne {
				return true
			}
			continue
		}
		m.revive(c)
		if m.spec.Strategy == RestForOne {
			for _, later := range m.children[i+1:] {
				if later.spec.Rebind && later.status == up {
					m.emit(effect{op: opRebind, child: later, name: c.spec.Name})
				}
			}
			return true
		}
	}
	return false
}

// startDown starts the first child that is down, once those before it are up, and reports whether
// one is on its way.
func (m *machine) startDown() bool {
	for _, c := range m.children {
		switch c.status {
		case down:
			if m.phase == phaseRunning {
				c.restarts++
			}
			c.status, c.halted = starting, false
			m.emit(effect{op: opSpawn, child: c})
			return true
		case starting:
			if m.phase == phaseStarting || m.spec.Strategy == RestForOne {
				return true
			}
		default:
		}
	}
	return false
}

func (m *machine) allUp() bool {
	return !slices.ContainsFunc(m.children, func(c *child) bool {
		return c.status != up && c.status != gone
	})
}

// stopNext stops children in reverse order, one at a time; a dynamic supervisor's side by side.
func (m *machine) stopNext() {
	waiting := false
	for i := len(m.children) - 1; i >= 0; i-- {
		c := m.children[i]
		if c.status == down {
			c.status = gone
		}
		if c.status == gone {
			continue
		}
		waiting = true
		m.stop(c)
		if m.spec.Strategy != Dynamic {
			break
		}
	}
	if !waiting && m.phase != phaseEnded {
		m.phase = phaseEnded
		m.emit(effect{op: opEnd})
	}
}

// within keeps the times that lie in the window before now.
func within(times []time.Time, now time.Time, window time.Duration) []time.Time {
	return slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) >= window })
}
