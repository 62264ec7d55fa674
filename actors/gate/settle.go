package gate

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// Holds says from when on the settings of a version hold.
type Holds struct {
	Version uint64
	State   settings.State
	PTS     media.Time
	Note    string
}

// Tick lets time pass: whoever had to answer by now is waited for no more.
func (m *Machine) Tick() {
	if m.settings == nil {
		return
	}
	l := m.public()
	if l.phase == warming && m.now.Sub(m.since) >= warmUp {
		m.closeSource(l)
	}
	if m.now.Sub(m.since) >= patience {
		m.force()
	}
	if l.phase == returning && len(l.held) > 0 && m.now.Sub(m.held) > longestReturn {
		l.release(m)
	}
	m.rest()
	m.askAgain()
	m.settle()
}

// askAgain asks for whoever is not there yet: who was to begin while its namesake ended was
// refused.
func (m *Machine) askAgain() {
	for _, l := range m.lanes {
		if l.topic == nil && m.now.Sub(l.asked) >= patience {
			l.asked = m.now
			m.emit(&StartLane{Name: l.name})
		}
	}
	for _, w := range m.workers {
		if w.pid == nil && m.now.Sub(w.asked) >= patience {
			w.asked = m.now
			m.emit(&StartWorker{Name: w.name, Rendition: w.rendition})
		}
	}
}

// Gone takes note that an actor has ended without its supervisor having it back, as that was
// restarted itself, for example: a worker or the topic of a rendition is asked for again.
func (m *Machine) Gone(who *actor.PID) {
	for _, l := range m.lanes[1:] {
		if l.topic != nil && l.topic.Equal(who) {
			l.topic = nil
		}
	}
	for _, w := range m.workers {
		if w.pid != nil && w.pid.Equal(who) {
			w.pid, w.ready = nil, false
		}
	}
	m.askAgain()
}

// parts are the actors whose end is Gone's.
func (m *Machine) parts() (all []*actor.PID) {
	for _, l := range m.lanes[1:] {
		if l.topic != nil {
			all = append(all, l.topic)
		}
	}
	for _, w := range m.workers {
		if w.pid != nil {
			all = append(all, w.pid)
		}
	}
	return all
}

// Waits tells whether Tick has something to look at.
func (m *Machine) Waits() bool {
	if m.settings == nil {
		return false
	}
	l := m.public()
	if m.reported <= m.settings.Version || l.phase == warming || len(l.held) > 0 {
		return true
	}
	for _, w := range m.workers {
		if w.pid == nil || w.name == Main && l.phase == passing && !m.settings.Always {
			return true
		}
	}
	return slices.ContainsFunc(m.lanes, func(l *lane) bool { return l.topic == nil })
}

// force closes the lanes whose worker has not answered to what it filters otherwise.
func (m *Machine) force() {
	for _, l := range m.lanes {
		if _, ok := m.holdsOn(l); !ok {
			l.require(m.settings.Version, l.next())
		}
	}
}

// rest has a worker end that nobody has needed for a while.
func (m *Machine) rest() {
	w := m.workers[Main]
	if w == nil {
		return
	}
	if m.public().phase != passing || m.settings.Always {
		w.idle = time.Time{}
		return
	}
	if w.idle.IsZero() {
		w.idle = m.now
	}
	if m.now.Sub(w.idle) >= idleTime {
		delete(m.workers, Main)
		m.emit(&StopWorker{Name: Main})
	}
}

// holdsOn tells from when on the present settings hold on a lane, if that is certain.
func (m *Machine) holdsOn(l *lane) (media.Time, bool) {
	version := m.settings.Version
	if l.phase == passing {
		return max(l.next(), m.source.pts), true
	}
	if l.phase == warming {
		return 0, false
	}
	if w := m.workers[l.worker]; w != nil && w.applied >= version {
		return max(w.from, l.from), true
	}
	return max(l.cut, l.from), l.required >= version
}

// vouch has a lane demand the present settings at once where its worker can have made nothing under
// older ones.
func (m *Machine) vouch(l *lane) {
	if l.phase == passing || l.phase == warming {
		return
	}
	w := m.workers[l.worker]
	if w != nil && w.applied >= m.settings.Version {
		return
	}
	if w == nil || w.pid == nil || !m.source.video {
		l.require(m.settings.Version, l.next())
	}
}

// settle reports the present settings to hold once they do on every lane.
func (m *Machine) settle() {
	if m.settings == nil || m.reported > m.settings.Version {
		return
	}
	holds := &Holds{Version: m.settings.Version, State: settings.Live, PTS: m.base}
	for _, l := range m.lanes {
		m.vouch(l)
		from, ok := m.holdsOn(l)
		if !ok {
			return
		}
		holds.PTS = max(holds.PTS, from)
		if l.phase == processed {
			m.withheld(l, holds)
		}
	}
	if m.settings.Mute {
		holds.PTS = max(holds.PTS, m.source.pts)
	}
	m.reported = m.settings.Version + 1
	m.seal()
	m.emit(holds)
}

// Seal has those who join a rendition begin with what is still to come.
type Seal struct{ Topic *actor.PID }

// seal keeps late joiners from what was shown before the present settings: their first picture is
// the IDR picture that has been asked for.
func (m *Machine) seal() {
	if !m.hides() || m.sealed >= m.settings.Version {
		return
	}
	m.sealed = m.settings.Version
	for _, l := range m.lanes {
		if l.topic != nil && l.began {
			m.emit(&Seal{Topic: l.topic})
		}
	}
}

// changes tells whoever splices this broadcast with another, if somebody does, that from here on
// the two are not the same for a while: each carries the new settings out at a time of its own.
func (m *Machine) changes(before, after *settings.Settings) {
	same := before == nil || before.Mute == after.Mute && before.Always == after.Always &&
		before.Blur.Mode == after.Blur.Mode && slices.Equal(before.Blur.Rects, after.Blur.Rects)
	if same || !m.early {
		return
	}
	for _, l := range m.lanes {
		if l.topic != nil && l.began {
			m.emit(&Seal{Topic: l.topic})
		}
	}
}

// withheld notes why a lane shows no picture, if it does not.
func (m *Machine) withheld(l *lane, h *Holds) {
	if why := m.why(l); why != "" {
		h.State, h.Note = settings.Withheld, l.name+" is withheld: "+why
	}
}

// why says why no picture comes of a lane's worker, "" if there is no reason.
func (m *Machine) why(l *lane) string {
	why := m.source.unreadable()
	if w := m.workers[l.worker]; why == "" && w != nil {
		why = w.fault
	}
	return why
}
