package splice

import (
	"bytes"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// takeover is the own stream in place of the active's, where their units are not the same ones, or
// it is not known which are.
type takeover struct {
	over   bool
	leapt  bool // the numbers are beyond the active's
	keyed  bool // pictures are shown
	sounds bool // sound is given
	why    reason
	former uint64 // own number of the unit that was looked at last
}

// Lost takes note that the link by which the mirror comes is gone: nothing is waited for.
func (m *Machine) Lost(now time.Time) {
	m.lost = true
	m.Tick(now)
}

// Deadline is when Tick is to be called at the latest, if at all.
func (m *Machine) Deadline() (at time.Time, ok bool) {
	if m.epoch == 0 || m.aligned || m.took.over || m.since.IsZero() {
		return at, false
	}
	wait := silence
	if together := m.latest.Sub(m.began); max(together, -together) < newcomer {
		wait = newcomer
	}
	if at = m.since.Add(wait); at.Before(m.woke) {
		at = m.woke
	}
	return at, true
}

// Tick takes over if the mirror has been silent for too long.
func (m *Machine) Tick(now time.Time) {
	at, ok := m.Deadline()
	if !ok || now.Before(m.woke) || !m.lost && now.Before(at) {
		return
	}
	m.delta = m.difference()
	m.took = takeover{over: true}
	if m.lost {
		m.took.why = gone
	}
	for i := range m.own.all {
		if u := m.own.all[i].unit; u != nil {
			m.follow(u, now)
		}
	}
}

// difference is what has to be added to own times. Sound often passes untouched where pictures do
// not, and tells exactly, as a former alignment does; else it is what the time of arrival makes of
// it.
func (m *Machine) difference() media.Time {
	own, mirror := m.own.only(media.Audio), m.mirror.only(media.Audio)
	for n := len(mirror); n > max(0, len(mirror)-mostTries); n-- {
		if f, ok := agreed(mirror[:n], own, surely/2); ok {
			return -f.delta
		}
	}
	if m.known {
		return m.delta
	}
	end := max(m.last[media.Video], m.last[media.Audio])
	guess := end - m.own.all[0].dts + media.Time(m.own.all[0].at.Sub(m.latest))
	for _, p := range m.own.all {
		if p.timed() && !p.at.After(m.latest) {
			guess = end - p.dts - media.Time(m.latest.Sub(p.at))
		}
	}
	return guess
}

// mostTries is how many of the mirror's latest are looked for: some may not have come here.
const mostTries = 128

// follow shows an own unit. What was shown already, by the active, is left out; pictures begin with
// an IDR picture.
func (m *Machine) follow(u *topic.Unit, now time.Time) {
	t := &m.took
	missing := uint64(0)
	if t.former != 0 {
		missing = u.Seq - t.former - 1
	}
	t.former = u.Seq
	if u.Role == media.SequenceHeader || !t.wants(m, u) {
		return // a header comes with the first that needs it
	}
	if m.covered(u) { // pictures go on behind the seal
		t.keyed = t.keyed && u.Kind != media.Video
		return
	}
	h := m.headerOf(u)
	if p := m.headers[u.Kind]; h != nil && (p == nil || !bytes.Equal(p.Body, h.Body)) {
		m.place(h, u.DTS+m.delta, missing, now)
		missing = 0
	}
	m.place(u, u.DTS+m.delta, missing, now)
}

func (t *takeover) wants(m *Machine, u *topic.Unit) bool {
	dts := u.DTS + m.delta
	switch u.Kind {
	case media.Video:
		later := !m.shown() || dts+u.CTS > m.pts
		t.keyed = t.keyed || later && begins(u, m.headerOf(u))
		return t.keyed
	case media.Audio:
		t.sounds = t.sounds || dts > m.last[media.Audio] || m.headers[media.Audio] == nil
		return t.sounds
	}
	return t.keyed || m.ownHeaders[media.Video] == nil
}

func (m *Machine) headerOf(u *topic.Unit) *topic.Unit {
	if u.Header != nil {
		return u.Header
	}
	return m.ownHeaders[u.Kind]
}

// shown reports whether the active's stream has had pictures.
func (m *Machine) shown() bool { return m.headers[media.Video] != nil || m.pts != 0 }

// place gives a unit the next number, or one so much later as units are missing.
func (m *Machine) place(u *topic.Unit, dts media.Time, missing uint64, now time.Time) {
	seq := m.high + 1 + missing
	if !m.took.leapt {
		m.took.leapt = true
		seq = m.high + leap
	}
	m.emit(u, seq, max(dts, m.last[u.Kind]), now)
}

// passed sees to it that nothing of the active's own, should it go on in spite of all, comes
// between the units that are shown in its place.
func (t *takeover) passed(m *Machine, u *topic.Unit) {
	if u.Seq > m.high {
		m.high = u.Seq
		t.leapt, t.keyed = false, false
	}
}
