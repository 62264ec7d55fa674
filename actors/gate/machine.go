package gate

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// The machine's times.
const (
	// warmUp is how long the publisher's own pictures still pass, at most, while a worker catches up
	// with them, after something was commanded to be hidden: a switch that nobody notices.
	warmUp = 500 * time.Millisecond
	// patience is how long a worker has to carry settings out before its lane is closed to
	// whatever it has filtered otherwise.
	patience = time.Second
	// longestReturn is how long the source is held back for a worker to catch up with it.
	longestReturn = time.Second
	// idleTime is how long a worker is kept warm that nobody needs any more.
	idleTime = 10 * time.Second
)

// Machine decides what leaves a broadcast. It is a plain value: what happens goes in, with the time
// it happens at, and effects come out.
type Machine struct {
	settings *settings.Settings // nil until they are known: nothing passes before
	hybrid   bool
	early    bool      // see changes
	since    time.Time // when the present settings came
	blurred  uint64    // the version that last changed the blur
	reported uint64    // the version that was last reported to hold, plus one
	sealed   uint64    // the version whose pictures late joiners begin with
	now      time.Time
	source   source
	base     media.Time // what came before it was of other epochs
	lanes    []*lane    // the public one first
	workers  map[string]*worker
	held     time.Time // since when the source is held back
	silence  *silencer
	out      []any
}

// NewMachine returns the machine of one epoch, whose public topic is public. hybrid has the
// publisher's own pictures pass while nothing is blurred, even where the policy is to process
// always.
func NewMachine(epoch uint64, public *actor.PID, hybrid bool) *Machine {
	return &Machine{
		hybrid: hybrid, workers: map[string]*worker{}, silence: &silencer{},
		lanes: []*lane{{name: settings.Public, worker: Main, topic: public, epoch: epoch}},
	}
}

func (m *Machine) emit(effect any) { m.out = append(m.out, effect) }

// Take returns the effects since the last Take, in order. They are valid until the next call.
func (m *Machine) Take() []any {
	out := m.out
	m.out = m.out[:0]
	return out
}

func (m *Machine) public() *lane { return m.lanes[0] }

func (m *Machine) laneOf(worker string) *lane {
	for _, l := range m.lanes {
		if l.worker == worker {
			return l
		}
	}
	return nil
}

// lane returns the lane of a rendition that viewers ask for, nil if there is none.
func (m *Machine) lane(rendition string) *lane {
	if rendition == "" || rendition == settings.Source {
		return m.public()
	}
	for _, l := range m.lanes {
		if l.name == rendition {
			return l
		}
	}
	return nil
}

func (m *Machine) version() uint64 {
	if m.settings == nil {
		return 0
	}
	return m.settings.Version
}

// hides tells whether the publisher's own pictures must not pass.
func (m *Machine) hides() bool {
	return len(m.settings.Blur.Rects) > 0 || m.settings.Always && !m.hybrid
}

// At sets the time of what happens next.
func (m *Machine) At(now time.Time) { m.now = now }

// Settings takes what is commanded of the broadcast.
func (m *Machine) Settings(s *settings.Settings) {
	first := m.settings == nil
	if !first && s.Version <= m.settings.Version {
		m.reported = min(m.reported, s.Version) // it is asked anew
		m.settle()
		return
	}
	m.blurs(m.settings, s)
	m.changes(m.settings, s)
	m.settings, m.since = s, m.now
	m.reported = min(m.reported, s.Version)
	m.ladder()
	l := m.public()
	switch {
	case m.hides() && (first || !l.began):
		m.want(Main, settings.Rendition{})
		m.closeSource(l)
	case m.hides() && l.phase == passing:
		l.phase = warming
		m.want(Main, settings.Rendition{})
		if w := m.workers[Main]; w.ready {
			m.closeSource(l)
		}
	case m.hides() && l.phase == returning:
		l.phase, l.held = processed, nil
	case !m.hides() && l.phase == warming:
		l.phase = passing
	case !m.hides() && l.phase == processed:
		l.phase = returning
	case m.settings.Always: // to be there at once
		m.want(Main, settings.Rendition{})
	}
	for _, l := range m.lanes { // late joiners begin there, see seal
		if m.hides() && l.phase == processed && l.began {
			l.refresh++
		}
	}
	for _, w := range m.workers {
		m.order(w)
	}
	m.settle()
}

// closeSource has a lane show its worker's pictures only, from the next one on.
func (m *Machine) closeSource(l *lane) {
	l.phase, l.mixed, l.held = processed, l.mixed || l.began, nil
	l.from, l.needKey = l.next(), true
	l.require(m.version(), l.from)
	if w := m.workers[l.worker]; w != nil {
		m.order(w)
	}
}

// want has a worker run.
func (m *Machine) want(name string, r settings.Rendition) {
	if w := m.workers[name]; w != nil {
		w.idle = time.Time{}
		return
	}
	m.workers[name] = &worker{name: name, rendition: r, asked: m.now}
	m.emit(&StartWorker{Name: name, Rendition: r})
}

// ladder has the lanes that are declared, and no others.
func (m *Machine) ladder() {
	for _, l := range slices.Clone(m.lanes[1:]) {
		i := slices.IndexFunc(m.settings.Renditions, func(r settings.Rendition) bool {
			return r.Name == l.name
		})
		if i < 0 || m.settings.Renditions[i] != m.workers[l.worker].rendition {
			m.drop(l)
		}
	}
	for _, r := range m.settings.Renditions {
		if m.lane(r.Name) != nil {
			continue
		}
		m.lanes = append(m.lanes, &lane{
			name: r.Name, worker: r.Name, phase: processed, epoch: m.public().epoch, needKey: true,
			required: m.settings.Version, asked: m.now,
		})
		m.emit(&StartLane{Name: r.Name})
		m.want(r.Name, r)
	}
}

// StartLane asks for the topic of a rendition, StopLane has it stopped.
type (
	StartLane struct{ Name string }
	StopLane  struct{ Name string }
)

func (m *Machine) drop(l *lane) {
	m.lanes = slices.DeleteFunc(m.lanes, func(o *lane) bool { return o == l })
	delete(m.workers, l.worker)
	m.emit(&StopWorker{Name: l.worker})
	m.emit(&StopLane{Name: l.name})
}

// LaneUp takes note that a rendition's topic is there.
func (m *Machine) LaneUp(name string, pid *actor.PID) {
	l := m.lane(name)
	if l == nil || l.topic != nil {
		return
	}
	l.topic = pid
	l.shown, l.record, l.needKey = topic.Headers{}, nil, true
	if l.lastOut > 0 { // whose first output is still to come begins with an IDR picture by itself
		l.refresh++
	}
	if w := m.workers[l.worker]; w != nil {
		m.order(w)
	}
	for _, kind := range []media.Kind{media.Data, media.Audio} {
		l.header(m, kind)
	}
}

// Source takes a unit of the publisher's.
func (m *Machine) Source(u *topic.Unit) {
	fresh, gap := m.source.next(u)
	if !fresh || m.settings == nil {
		return
	}
	if u.Kind == media.Audio && m.settings.Mute {
		if u = m.silence.of(u, m.source.headers[media.Audio]); u == nil {
			return
		}
	}
	for _, l := range m.lanes {
		own := l.phase == passing || l.phase == warming
		if gap && own {
			l.seq++ // so that whoever follows knows
		}
		switch {
		case u.Kind != media.Video:
			l.sound(m, u)
		case own:
			l.own(m, u)
		case l.phase == returning:
			m.returns(l, u, gap)
		}
	}
}

// returns holds the source back from its next IDR picture on, until the worker has come so far.
func (m *Machine) returns(l *lane, u *topic.Unit, gap bool) {
	if gap {
		l.held = nil
	}
	if len(l.held) == 0 {
		if !m.source.isEntry(u) {
			return
		}
		m.held = m.now
	}
	l.held = append(l.held, u)
	if m.why(l) != "" || len(l.held) >= mostHeld || m.now.Sub(m.held) > longestReturn {
		l.release(m)
	}
}

// returnsBefore shows the source again if the worker has come as far as what is held back.
func (l *lane) returnsBefore(m *Machine, o *process.Output) {
	if l.phase == returning && len(l.held) > 0 && o.Unit.PTS() >= l.held[0].PTS() {
		l.release(m)
	}
}

// release shows the source again, from what was held back on.
func (l *lane) release(m *Machine) {
	held := l.held
	l.phase, l.held, l.mixed = passing, nil, true
	for _, u := range held {
		l.own(m, u)
	}
	if w := m.workers[l.worker]; w != nil {
		m.order(w)
	}
}

// Data takes a unit of data about the broadcast, for all its renditions.
func (m *Machine) Data(au media.AccessUnit) {
	if m.settings == nil || m.source.seq == 0 {
		return
	}
	for _, l := range m.lanes {
		l.emit(m, topic.NewUnit(l.epoch, 0, au))
	}
}
