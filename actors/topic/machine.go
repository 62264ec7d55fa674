package topic

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/headwater-live/headwater/codec/media"
)

// The reasons why a unit does not enter a topic.
var (
	// ErrStale: the unit is of an epoch that has been superseded.
	ErrStale = errors.New("stale epoch")
	// ErrDuplicate: the topic has, or has given up waiting for, this sequence number.
	ErrDuplicate = errors.New("duplicate")
	// ErrNoHeader: the decoder could not be set up for it.
	ErrNoHeader = errors.New("no sequence header yet")
	// ErrNoKeyframe: what it refers to is missing.
	ErrNoKeyframe = errors.New("no keyframe since the gap")
)

// Machine decides what enters a ring. It is a plain value and the ring's only writer.
type Machine struct {
	ring *Ring
	mark *mark
	// fence is the lowest epoch that is accepted.
	fence uint64
	gaps  uint64
}

// NewMachine returns the machine of a ring, where the former one was, if there was one. Of the unit
// that the former one failed on, if it did, nothing is known but that it is lost.
func NewMachine(ring *Ring) *Machine {
	return &Machine{ring: ring, mark: &ring.mark, fence: ring.mark.epoch}
}

// Epoch is the epoch of the latest unit.
func (m *Machine) Epoch() uint64 { return m.mark.epoch }

// Seq is the sequence number of the latest unit.
func (m *Machine) Seq() uint64 { return m.mark.seq }

// Gaps counts the places where units were missing.
func (m *Machine) Gaps() uint64 { return m.gaps }

// End is when the units that entered are over, and whether there were any: what comes after them
// begins then, if it begins at once.
func (m *Machine) End() (media.Time, bool) {
	if !m.mark.began {
		return 0, false
	}
	return max(m.mark.end[media.Video], m.mark.end[media.Audio], m.mark.end[media.Data]), true
}

// Fence refuses the epochs below epoch from now on.
func (m *Machine) Fence(epoch uint64) { m.fence = max(m.fence, epoch) }

// Push takes the next unit. It returns the unit that entered the ring, restamped where its time
// would have fallen, or why none did.
func (m *Machine) Push(u *Unit) (*Unit, error) {
	if u.Epoch < m.fence || u.Epoch < m.mark.epoch {
		return nil, fmt.Errorf("%w %d, now %d", ErrStale, u.Epoch, max(m.fence, m.mark.epoch))
	}
	if u.Epoch > m.mark.epoch {
		m.begin(u)
	}
	if u.Seq <= m.mark.seq {
		return nil, ErrDuplicate
	}
	if m.mark.seq != 0 && u.Seq != m.mark.seq+1 {
		m.gaps++
		m.mark.waitKey = true
	}
	m.mark.seq = u.Seq // first, so that a unit that makes the topic fail is not tried again
	if h := u.Header; h != nil && h.Epoch == u.Epoch && m.lacks(h) {
		m.enter(h)
	}
	if err := m.decodable(u); err != nil {
		return nil, err
	}
	return m.enter(u), nil
}

// lacks reports whether a track's header was lost on the way: it is not sent again.
func (m *Machine) lacks(h *Unit) bool {
	present := m.mark.headers[h.Kind]
	return present == nil || present.Seq < h.Seq
}

func (m *Machine) enter(u *Unit) *Unit {
	u = m.rising(u)
	if u.Role == media.SequenceHeader {
		m.mark.headers[u.Kind] = u
		if u.Kind == media.Video { // pictures under another header refer to none before it
			m.mark.waitKey = true
		}
	}
	m.ring.append(u, m.isEntry(u), m.mark.headers)
	return u
}

// Adopt takes the next unit of a snapshot, which begins anew where the topic is too far behind to
// be filled up: that is no gap.
func (m *Machine) Adopt(u *Unit) (*Unit, error) {
	if u.Epoch == m.mark.epoch && u.Seq > m.mark.seq+1 {
		m.mark.seq = u.Seq - 1
		m.mark.waitKey = true
	}
	return m.Push(u)
}

// begin enters a new epoch: another encoder, whose pictures refer to nothing that came before.
func (m *Machine) begin(u *Unit) {
	m.mark.epoch, m.mark.seq = u.Epoch, 0
	m.mark.headers = Headers{}
	m.mark.offset = 0
	m.mark.waitKey = true
	if end, ok := m.End(); ok && u.DTS < end {
		m.mark.offset = end - u.DTS
	}
}

// decodable reports why a viewer could not decode u, given all that entered before.
func (m *Machine) decodable(u *Unit) error {
	if u.Role == media.SequenceHeader || u.Kind == media.Data {
		return nil
	}
	if needsHeader(u.Codec) && m.mark.headers[u.Kind] == nil {
		return ErrNoHeader
	}
	if u.Kind != media.Video || !m.mark.waitKey {
		return nil
	}
	if u.Role != media.Keyframe {
		return ErrNoKeyframe
	}
	m.mark.waitKey = false
	return nil
}

// needsHeader says which codecs a decoder cannot begin without a sequence header.
func needsHeader(codec media.FourCC) bool {
	switch codec {
	case media.AVC, media.HEVC, media.AV1, media.AAC, media.Opus:
		return true
	}
	return false
}

// rising moves a unit's time up where it would fall behind the track's.
func (m *Machine) rising(u *Unit) *Unit {
	dts := u.DTS + m.mark.offset
	if m.mark.began {
		dts = max(dts, m.mark.last[u.Kind])
	}
	u = u.at(dts)
	m.mark.end[u.Kind] = max(m.mark.end[u.Kind], m.over(u))
	m.mark.last[u.Kind] = dts
	m.mark.began = true
	return u
}

// Bounds of how long a unit is taken to last.
const (
	shortestUnit = 10 * media.Millisecond
	longestUnit  = media.Second
)

// over is when a unit that enters now is over: a unit lasts about as long as the one before it did.
func (m *Machine) over(u *Unit) media.Time {
	if u.Role == media.SequenceHeader || u.Kind == media.Data {
		return u.DTS
	}
	length := shortestUnit
	if m.mark.began {
		length = min(max(length, u.DTS-m.mark.last[u.Kind]), longestUnit)
	}
	return max(u.DTS, u.PTS()) + length
}

// isEntry reports whether a decoder can begin with u: with a video keyframe, or with any audio
// where there is no video.
func (m *Machine) isEntry(u *Unit) bool {
	if u.Role != media.Keyframe || m.ring.Sealed().covers(u) {
		return false
	}
	return u.Kind == media.Video || m.mark.headers[media.Video] == nil
}

// Snapshot returns what a new follower needs to begin, in sequence: the headers and all units since
// the newest keyframe.
func (m *Machine) Snapshot() []*Unit {
	e := m.ring.Entry()
	if e == nil { // nothing to begin with yet: the headers at least, as they are not sent again
		return inSequence(m.mark.headers)
	}
	units := inSequence(e.Headers)
	for pos := e.Pos; pos < m.ring.head.Load(); pos++ {
		if u := m.ring.at(pos); u != nil {
			units = append(units, u)
		}
	}
	return units
}

func inSequence(headers Headers) []*Unit {
	var units []*Unit
	for _, u := range headers {
		if u != nil {
			units = append(units, u)
		}
	}
	slices.SortFunc(units, func(a, b *Unit) int { return cmp.Compare(a.Seq, b.Seq) })
	return units
}
