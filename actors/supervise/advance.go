package supervise

import "slices"

// advance does whatever can be done next. It is called after every change.
func (m *machine) advance() {
	switch m.phase {
	case phaseStarting, phaseRunning:
		if m.spec.Strategy == Dynamic { // its children do not wait for each other
			m.running()
			return
		}
		if m.stopMarked() {
			return
		}
		m.startNext()
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

// startNext has children start that are down, or failed and through with their pause. At first, and
// always under rest-for-one, each waits for those before it to be up.
func (m *machine) startNext() {
	inOrder := m.phase == phaseStarting || m.spec.Strategy == RestForOne
	for _, c := range m.children {
		switch c.status {
		case up, departing, gone:
			continue
		case down:
			m.launch(c)
		case failed:
			if c.ready {
				m.launch(c)
			}
		case starting, stopping:
		}
		if inOrder {
			return
		}
	}
}

// launch starts a child, or has it back: in place if its actor is still there.
func (m *machine) launch(c *child) {
	act := effect{op: opSpawn, child: c}
	if c.status == failed && !c.spawn {
		act.op = opRestart
	}
	c.status, c.halted = starting, false
	c.starts++
	m.emit(act)
	if c.starts == 1 || m.spec.Strategy != RestForOne {
		return
	}
	for _, other := range m.children {
		told := other.index > c.index && other.spec.Rebind ||
			other.index < c.index && slices.Contains(other.spec.Heeds, c.spec.Name)
		if told && (other.status == up || other.status == starting) {
			m.emit(effect{op: opRebind, child: other, name: c.spec.Name})
		}
	}
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
	if !waiting {
		m.phase = phaseEnded
		m.emit(effect{op: opEnd})
	}
}
