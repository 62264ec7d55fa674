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
	names    map[string]*child // once they are more than few
	failures []time.Time       // within the limit's window
	phase    phase
	effects  []effect
	timers   int // counts the timers asked for: each has its number
	linger   int // the Linger timer that counts, the others are void
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
	spec     *Spec
	index    int // in children
	status   status
	failures []time.Time
	timer    int  // failed: the number of the timer that it waits for
	ready    bool // failed: its pause is over
	spawn    bool // failed: it has ended, there is nothing left to restart
	stop     bool // has to stop, as an earlier sibling failed
	halted   bool // has failed: it hears nothing but system messages
	starts   int
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
	n      int // opTimer, opLinger: the number of the timer
}

func newMachine(spec *Spec, jitter func() float64) *machine {
	m := &machine{spec: spec, jitter: jitter}
	declared := make([]child, len(spec.Children))
	m.children = make([]*child, 0, len(declared))
	for i := range declared {
		declared[i].spec = &spec.Children[i]
		m.admit(&declared[i])
	}
	return m
}

func (m *machine) admit(c *child) {
	c.index = len(m.children)
	m.children = append(m.children, c)
	if m.names != nil {
		m.names[c.spec.Name] = c
	} else if len(m.children) > few {
		m.names = map[string]*child{}
		for _, c := range m.children {
			m.names[c.spec.Name] = c
		}
	}
}

func (m *machine) emit(e effect) { m.effects = append(m.effects, e) }

// take returns the effects since the last take.
func (m *machine) take() []effect {
	out := m.effects
	m.effects = nil
	return out
}

func (m *machine) child(name string) *child {
	if m.names != nil {
		return m.names[name]
	}
	for _, c := range m.children {
		if c.spec.Name == name {
			return c
		}
	}
	return nil
}

// begin starts the children in order.
func (m *machine) begin() {
	m.startLinger()
	m.advance()
}

// add starts one more child of a dynamic supervisor. It returns the child and whether it is new;
// nil when the supervisor is ending.
func (m *machine) add(spec *Spec) (c *child, fresh bool) {
	if m.phase >= phaseStopping {
		return nil, false
	}
	if c = m.child(spec.Name); c != nil {
		return c, false
	}
	c = &child{spec: spec}
	m.admit(c)
	m.launch(c)
	return c, true
}

// spawnFailed takes back a child that could not be spawned. A dynamic supervisor does without it;
// to any other it is one of its parts, without which it cannot go on.
func (m *machine) spawnFailed(c *child, err error) {
	c.status, c.stop = gone, false
	m.forget(c)
	if m.spec.Strategy != Dynamic && m.phase < phaseStopping {
		m.escalate(fmt.Errorf("supervisor %s: start %s: %w", m.spec.Name, c.spec.Name, err))
		return
	}
	m.advance()
}

func (m *machine) escalate(reason error) {
	m.phase = phaseEnded
	m.emit(effect{op: opEscalate, reason: reason})
}

// isUp notes that a child has handled its Started, for the nth time.
func (m *machine) isUp(name string, n int) {
	c := m.child(name)
	if c == nil || c.status != starting || c.starts != n {
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
	again := c.halted
	c.halted = true
	switch {
	case c.status == down, c.status == gone, c.status == failed:
		// It has ended, or waits for its restart already.
	case c.status == stopping, c.status == departing:
		if !again { // it no longer hears the wish that it should stop: now it is told
			m.emit(effect{op: opStop, child: c})
		}
	case m.phase == phaseStopping, c.stop:
		// Its failure is no news: it is to go anyway, when its turn comes.
	case c.spec.Restart == Temporary:
		c.status = departing
		m.emit(effect{op: opStop, child: c, reason: reason})
	default:
		m.failure(c, false, reason, now)
	}
}

// failure counts a failure of c against the limit and has it back after a pause: restarted in
// place, or spawned anew where it is already gone.
func (m *machine) failure(c *child, spawn bool, reason error, now time.Time) {
	limit := m.spec.limit()
	m.failures = append(within(m.failures, now, limit.Within), now)
	c.failures = append(within(c.failures, now, limit.Within), now)
	if len(m.failures) > limit.Max {
		m.escalate(fmt.Errorf("supervisor %s spent: %d failures in %v, the last of %s: %w",
			m.spec.Name, len(m.failures), limit.Within, c.spec.Name, reason))
		return
	}
	m.timers++
	c.status, c.timer, c.ready, c.spawn, c.stop = failed, m.timers, false, spawn, false
	pause := m.spec.backoff().pause(len(c.failures), m.jitter())
	m.emit(effect{op: opTimer, child: c, after: pause, n: c.timer})
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

// pauseOver notes that the back-off of a failed child, timer n, is over.
func (m *machine) pauseOver(name string, n int) {
	c := m.child(name)
	if c == nil || c.status != failed || c.timer != n || m.phase >= phaseStopping {
		return
	}
	c.ready = true
	if m.spec.Strategy == Dynamic {
		m.launch(c)
		return
	}
	m.advance()
}

// isTerminated notes that a child's actor is no more.
func (m *machine) isTerminated(name string, now time.Time) {
	c := m.child(name)
	if c == nil || m.phase == phaseEnded {
		return
	}
	switch {
	case c.status == down, c.status == gone:
	case c.status == departing, m.phase == phaseStopping:
		m.isGone(c, false)
	case c.status == stopping && c.spec.Restart == Temporary:
		m.isGone(c, false)
	case c.status == stopping, c.status == failed && c.stop:
		c.status, c.stop = down, false
		m.advance()
	case c.status == failed: // stopped by another hand; its restart is due all the same
		c.spawn = true
	case c.spec.Restart != Permanent:
		m.isGone(c, true)
	case c.stop:
		c.status, c.stop = down, false
		m.advance()
	default:
		m.failure(c, true, errEnded, now)
	}
}

// isGone notes that a child has ended for good, normally if it was by itself.
func (m *machine) isGone(c *child, normally bool) {
	c.status, c.stop = gone, false
	m.emit(effect{op: opGone, child: c})
	m.forget(c)
	if c.spec.Significant && normally && m.phase < phaseStopping {
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
	m.startLinger()
}

// startLinger has a dynamic supervisor without children wait for its end.
func (m *machine) startLinger() {
	if m.spec.Strategy == Dynamic && m.spec.Linger > 0 && len(m.children) == 0 &&
		m.phase < phaseStopping {
		m.timers++
		m.linger = m.timers
		m.emit(effect{op: opLinger, after: m.spec.Linger, n: m.linger})
	}
}

// lingered ends a dynamic supervisor that has had no child since timer n was asked for, unless it
// is kept: then it looks again as much later.
func (m *machine) lingered(n int) {
	switch {
	case n != m.linger, len(m.children) > 0, m.phase >= phaseStopping:
	case m.spec.Keep != nil && m.spec.Keep():
		m.startLinger()
	default:
		m.phase = phaseStopping
		m.advance()
	}
}

// end stops one child for good.
func (m *machine) end(name string) bool {
	c := m.child(name)
	if c == nil || m.phase == phaseEnded {
		return false
	}
	switch c.status {
	case gone:
		return false
	case down:
		c.status = gone
		m.advance()
	case departing:
	case stopping: // its stop is under way: only it will not come back
		c.status = departing
	default:
		c.status = departing
		m.emit(effect{op: opStop, child: c})
	}
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
	if c == nil || (c.status != stopping && c.status != departing) || m.phase == phaseEnded {
		return
	}
	m.emit(effect{op: opAbandon, child: c})
	if m.phase < phaseStopping && c.status == stopping { // its name is taken: it cannot come back
		c.status, c.stop = gone, false
		m.escalate(fmt.Errorf("supervisor %s: %s did not stop in %v",
			m.spec.Name, name, c.spec.stopDeadline()))
		return
	}
	m.isGone(c, false)
}

// within keeps the times that lie in the window before now.
func within(times []time.Time, now time.Time, window time.Duration) []time.Time {
	return slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) >= window })
}
