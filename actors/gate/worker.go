package gate

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// Main is the name of the worker whose pictures the public rendition shows when the publisher's own
// must not be seen.
const Main = "main"

// worker is what is known of a process actor.
type worker struct {
	name        string
	rendition   settings.Rendition
	pid         *actor.PID // nil before its first Hello
	incarnation uint64
	ready       bool       // it has caught up with the source
	applied     uint64     // the version of settings that it carries out
	from        media.Time // and from when on
	fault       string     // why no picture comes of it
	asked       time.Time  // when it was asked for
	idle        time.Time  // since when nobody needs it, zero while somebody does
	ordered     process.Order
}

// StartWorker asks for a process actor, StopWorker has it stopped.
type (
	StartWorker struct {
		Name      string
		Rendition settings.Rendition
	}
	StopWorker struct{ Name string }
)

// SendOrder is an order for a process actor.
type SendOrder struct {
	To    *actor.PID
	Order *process.Order
}

// order tells a worker what to do, unless it knows.
func (m *Machine) order(w *worker) {
	if w.pid == nil || m.settings == nil {
		return
	}
	o := process.Order{
		Version: m.settings.Version, Regions: m.settings.Blur.Rects, Mode: m.settings.Blur.Mode,
	}
	if l := m.laneOf(w.name); l != nil && l.phase != passing && l.phase != warming {
		o.Emit, o.From, o.Refresh = true, l.from, l.refresh
	}
	if known := w.ordered; known.Version == o.Version && known.Emit == o.Emit &&
		known.From == o.From && known.Refresh == o.Refresh && w.applied != 0 {
		return
	}
	w.ordered = o
	m.emit(&SendOrder{To: w.pid, Order: &o})
}

// Hello takes note of a process actor that has begun, and tells it what to do. What an earlier
// incarnation of it still sends is void.
func (m *Machine) Hello(h *process.Hello) {
	w := m.workers[h.Name]
	if w == nil || h.Incarnation < w.incarnation {
		return
	}
	if h.Incarnation > w.incarnation {
		w.ready, w.applied, w.fault = false, 0, ""
		if l := m.laneOf(w.name); l != nil {
			l.lastOut, l.needKey = 0, true
			l.from = max(l.from, l.next())
			l.require(m.version(), l.next())
		}
	}
	w.pid, w.incarnation, w.ordered = h.PID, h.Incarnation, process.Order{}
	m.order(w)
}

// current returns the worker that a message is from, nil if it is of another incarnation.
func (m *Machine) current(name string, incarnation uint64) *worker {
	if w := m.workers[name]; w != nil && w.incarnation == incarnation {
		return w
	}
	return nil
}

// Ready takes note that a worker has caught up with the source.
func (m *Machine) Ready(r *process.Ready) {
	if w := m.current(r.Name, r.Incarnation); w != nil {
		w.ready = true
		if l := m.laneOf(w.name); l != nil && l.phase == warming {
			m.closeSource(l)
		}
		m.settle()
	}
}

// Applied takes note from when on a worker carries settings out.
func (m *Machine) Applied(a *process.Applied) {
	w := m.current(a.Name, a.Incarnation)
	if w == nil || a.Version < w.applied {
		return
	}
	w.applied, w.from = a.Version, a.From
	if l := m.laneOf(w.name); l != nil && l.phase != passing && l.phase != warming {
		l.require(a.Version, a.From)
	}
	m.settle()
}

// Fault takes note that no picture comes of a worker.
func (m *Machine) Fault(f *process.Fault) {
	if w := m.current(f.Name, f.Incarnation); w != nil {
		w.fault = f.Reason
		if l := m.laneOf(w.name); l != nil && l.phase == warming {
			m.closeSource(l)
		}
		m.settle()
	}
}

// Output takes a picture that a worker has made, and reports whether it may leave.
func (m *Machine) Output(o *process.Output) refusal {
	w, l := m.current(o.Name, o.Incarnation), m.laneOf(o.Name)
	if w == nil || l == nil || m.settings == nil {
		return unwanted
	}
	w.fault = ""
	verdict := l.judge(o)
	if verdict == passes {
		l.returnsBefore(m, o)
		if l.phase != passing {
			l.output(m, o)
		}
	}
	if verdict != passes && verdict != unwanted && l.refresh == w.ordered.Refresh {
		l.refresh++
		m.order(w)
	}
	return verdict
}
