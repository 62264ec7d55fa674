package splice

import (
	"bytes"
	"hash/maphash"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// The machine's bounds.
const (
	// silence is how long the mirror may bring nothing, while own units come, before they are shown
	// in its place, where the two sides are not aligned.
	silence = 200 * time.Millisecond
	// newcomer is how long it may bring nothing where an own stream has only just begun to come, so
	// that they could not be aligned yet.
	newcomer = time.Second
	// surely is how many units in a row have to be the same on both sides before they are aligned.
	surely = 16
	// seldom is how many units come until the sides are compared again. It is odd, or only one side's
	// might ever be looked for.
	seldom = 5
	// forgiven is how many have to be the same after a mistake until it weighs half.
	forgiven = 4096
	// leap is how far numbers go on beyond the active's where the own units are not the same ones.
	// It is more than the active may have given to others and not to us: those must not take an own
	// unit for one that they have, and what comes next for what they lack. As it is, they see a gap,
	// of more units than a topic waits for, and wait for a keyframe.
	leap = 256
	// wary is how long the sides are not aligned again after the own gate has said that what is
	// commanded has changed: the two carry it out one after the other.
	wary = time.Second
	// asleep is how long nothing comes from either side where this process was stopped, or its
	// machine. What comes then is old, and nothing is given before dozy has passed: the active is
	// heard of meanwhile, if it lives.
	asleep = time.Second
	dozy   = 2 * time.Second
)

// Machine makes one stream of two. It is a plain value: units go in, with the time they come at,
// and what is to be given under the active's numbers comes out.
type Machine struct {
	seed maphash.Seed
	need int // see surely; more after each time that it was not enough
	out  []any

	// The active's stream, of which the mirror is.
	epoch   uint64 // 0 until the mirror has brought something
	mirror  window
	headers topic.Headers           // as they were brought or given
	high    uint64                  // the highest number brought or given
	gave    uint64                  // the highest number given
	last    [media.Kinds]media.Time // the highest times
	pts     media.Time              // of pictures
	latest  time.Time               // when something was brought or given last
	lost    bool                    // the mirror's link is gone

	// The own stream.
	own        window
	ownEpoch   uint64
	ownSeq     uint64 // of the latest
	ownHeaders topic.Headers
	sealed     topic.Seal
	wary       time.Time // until when they are not aligned
	awake      time.Time // when something came last
	woke       time.Time // until when the mirror's silence says nothing
	made       bool      // see OwnMade
	began      time.Time // when the first came
	since      time.Time // of the first own unit since the mirror has brought one; zero for none

	aligned bool
	looked  int        // units since the beginning that might have been looked for
	matched int        // units that were the same since need has changed
	offset  uint64     // number less own number, as uint64 counts
	delta   media.Time // time less own time
	known   bool       // delta is that of an alignment, if perhaps a former one
	took    takeover
}

// NewMachine returns a machine that knows of neither side.
func NewMachine() *Machine { return &Machine{seed: maphash.MakeSeed(), need: surely} }

// Take returns what is to be given since the last Take, in order: *topic.Unit and *topic.Seal. It
// is valid until the next call.
func (m *Machine) Take() []any {
	out := m.out
	m.out = m.out[:0]
	return out
}

// Aligned reports whether own units have the active's numbers, and TookOver whether they are shown
// in place of the active's, as they are not the same ones.
func (m *Machine) Aligned() bool { return m.aligned }

// TookOver is explained at Aligned.
func (m *Machine) TookOver() bool { return m.took.over }

// Delta is what is added to own times, and known whether it is so for sure, or was when own units
// were given last.
func (m *Machine) Delta() (delta media.Time, known bool) {
	return m.delta, m.known || m.took.over
}

// Epoch is the active's, 0 as long as nothing was heard of it.
func (m *Machine) Epoch() uint64 { return m.epoch }

func (m *Machine) print(u *topic.Unit, now time.Time) print {
	return print{
		seq: u.Seq, hash: maphash.Bytes(m.seed, u.Body), dts: u.DTS, at: now,
		kind: u.Kind, role: u.Role,
	}
}

// Mirror takes a unit that the active's mirror has brought, live or in a snapshot.
func (m *Machine) Mirror(u *topic.Unit, now time.Time) {
	if u.Epoch < m.epoch {
		return
	}
	m.wake(now)
	if u.Epoch > m.epoch {
		m.begin(u.Epoch)
	}
	m.lost, m.since, m.latest = false, time.Time{}, now
	fresh := m.mirror.add(m.print(u, now))
	if m.took.over {
		m.took.passed(m, u)
		return
	}
	m.note(u)
	if fresh == nil {
		return
	}
	if m.aligned {
		m.verify(fresh, m.own.find(u.Seq-m.offset))
		return
	}
	if fresh != m.mirror.last() || !m.looks() {
		return
	}
	if f, ok := agreed(m.mirror.all, m.own.all, m.need); ok {
		m.agree(u.Seq-m.own.all[f.at].seq, -f.delta, f.timed, now)
	}
}

// begin enters another epoch of the active, whose numbers and times say nothing of the former's.
func (m *Machine) begin(epoch uint64) {
	m.epoch, m.high, m.gave, m.headers = epoch, 0, 0, topic.Headers{}
	m.last, m.pts = [media.Kinds]media.Time{}, 0
	m.mirror.clear()
	m.aligned, m.known, m.took, m.need = false, false, takeover{}, surely
}

// note takes note of what is in the active's stream.
func (m *Machine) note(u *topic.Unit) {
	for _, h := range []*topic.Unit{u, u.Header} {
		if h == nil || h.Role != media.SequenceHeader || h.Epoch != m.epoch {
			continue
		}
		if p := m.headers[h.Kind]; p == nil || p.Seq < h.Seq {
			m.headers[h.Kind] = h
		}
	}
	m.high = max(m.high, u.Seq)
	m.last[u.Kind] = max(m.last[u.Kind], u.DTS)
	if u.Kind == media.Video {
		m.pts = max(m.pts, u.PTS())
	}
}

// Own takes the next unit of the own stream.
func (m *Machine) Own(u *topic.Unit, now time.Time) {
	m.wake(now)
	if u.Epoch != m.ownEpoch {
		m.OwnEnded()
		m.ownEpoch, m.began = u.Epoch, now
	}
	if u.Role == media.SequenceHeader {
		m.ownHeaders[u.Kind] = u
	}
	if u.Seq <= m.ownSeq { // a header that a reader is given anew
		return
	}
	if m.ownSeq != 0 && u.Seq != m.ownSeq+1 && !m.took.over {
		m.doubt() // nobody knows how many numbers the active has for what is missing here
	}
	p := m.print(u, now)
	if p.unit = u; m.covered(u) {
		p.unit = nil
	}
	m.ownSeq = u.Seq
	fresh := m.own.add(p)
	if m.since.IsZero() {
		m.since = now
	}
	switch {
	case m.epoch == 0 || fresh == nil:
	case m.took.over:
		m.follow(u, now)
	case m.aligned:
		if m.verify(m.mirror.find(u.Seq+m.offset), fresh); m.aligned {
			m.give(fresh, now)
		}
	default:
		if m.looks() {
			if f, ok := agreed(m.own.all, m.mirror.all, m.need); ok {
				m.agree(m.mirror.all[f.at].seq-u.Seq, f.delta, f.timed, now)
			}
		}
		m.Tick(now)
	}
}

// looks has the sides compared now and then only: where they are not the same, that goes on for as
// long as the broadcast.
func (m *Machine) looks() bool {
	m.looked++
	return m.looked%seldom == 0
}

// verify compares the two sides' units of one number, as far as both are there.
func (m *Machine) verify(mirror, own *print) {
	if mirror == nil || own == nil {
		return
	}
	if !mirror.is(own) {
		m.need, m.matched = min(2*m.need, mostSeen), 0
		m.doubt()
		return
	}
	if m.matched++; m.matched > forgiven {
		m.need, m.matched = max(surely, m.need/2), 0
	}
	if delta := mirror.dts - own.dts; mirror.timed() && !steady(delta, m.delta) {
		m.delta = delta // one of the timelines has jumped, as they may
	}
}

// wake notes that something comes, and whether that was not so for long.
func (m *Machine) wake(now time.Time) {
	if !m.awake.IsZero() && now.Sub(m.awake) > asleep && !m.took.over {
		m.woke, m.wary = now.Add(dozy), now.Add(dozy)
		m.doubt()
	}
	m.awake = now
}

// doubt withholds own units until they are aligned anew.
func (m *Machine) doubt() { m.aligned = false }

// agree begins to give own units, with those that the mirror has not brought: it may have left some
// out before the latest.
func (m *Machine) agree(offset uint64, delta media.Time, timed bool, now time.Time) {
	if !timed || m.made || now.Before(m.wary) || !m.sameHeaders() {
		return
	}
	m.aligned, m.offset, m.delta, m.known = true, offset, delta, true
	for i := m.common(); i < len(m.own.all); i++ {
		m.give(&m.own.all[i], m.own.all[i].at)
	}
}

// common is the first own unit from which on nothing contradicts the numbers: the mirror has the
// same unit there. What comes before a session of the own publisher is not the active's.
func (m *Machine) common() int {
	first := len(m.own.all)
	for i := len(m.own.all) - 1; i >= 0; i-- {
		p := &m.own.all[i]
		if i+1 < len(m.own.all) && p.seq+1 != m.own.all[i+1].seq {
			break
		}
		q := m.mirror.find(p.seq + m.offset)
		if q == nil {
			continue
		}
		if !q.is(p) {
			break
		}
		first = i
	}
	return first
}

// sameHeaders reports whether the sides' decoders are set up alike.
func (m *Machine) sameHeaders() bool {
	for kind, h := range m.headers {
		own := m.ownHeaders[kind]
		if h != nil && own != nil && h.Kind != media.Data && !bytes.Equal(h.Body, own.Body) {
			return false
		}
	}
	return true
}

// give gives an own unit under the active's number, unless the mirror has brought that.
func (m *Machine) give(p *print, now time.Time) {
	seq := p.seq + m.offset
	if p.unit != nil && m.mirror.find(seq) == nil {
		m.emit(p.unit, seq, p.unit.DTS+m.delta, now)
	}
}

func (m *Machine) emit(u *topic.Unit, seq uint64, dts media.Time, now time.Time) {
	header := m.headers[u.Kind]
	if u.Role == media.SequenceHeader {
		header = nil
	}
	u = u.Moved(dts-u.DTS).Placed(m.epoch, seq, header)
	m.note(u)
	m.latest = now
	m.gave = max(m.gave, u.Seq)
	m.out = append(m.out, u)
}

// OwnSealed takes note of the own gate's seal: what it covers was made under former settings. What
// was given of it must not be begun with, and what was not is not given any more.
func (m *Machine) OwnSealed(s *topic.Seal, now time.Time) {
	if s == nil || s.Epoch != m.ownEpoch || *s == m.sealed {
		return
	}
	m.sealed, m.wary = *s, now.Add(wary)
	m.doubt()
	for i := range m.own.all {
		if p := &m.own.all[i]; p.seq <= s.Seq {
			p.unit = nil
		}
	}
	if m.gave != 0 {
		m.out = append(m.out, &topic.Seal{Epoch: m.epoch, Seq: m.gave})
	}
}

// OwnMade notes whether the own pictures are made by that origin. They may be the same as the
// active's for a while by chance, and will not be for long: the sides are not aligned then.
func (m *Machine) OwnMade(made bool) {
	if m.made = made; made {
		m.doubt()
	}
}

// covered reports whether an own unit is one that the own gate has sealed before it came here.
func (m *Machine) covered(u *topic.Unit) bool {
	return u.Epoch == m.sealed.Epoch && u.Seq <= m.sealed.Seq
}

// OwnEnded takes note that there is no own stream any more. The mirror is all that there is then,
// should it live.
func (m *Machine) OwnEnded() {
	m.own.clear()
	m.ownEpoch, m.ownSeq, m.ownHeaders, m.sealed = 0, 0, topic.Headers{}, topic.Seal{}
	m.since, m.wary, m.took, m.known = time.Time{}, time.Time{}, takeover{}, false
	m.doubt()
}
