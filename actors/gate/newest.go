package gate

import (
	"slices"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// Newest asks for the newest picture of a rendition that can be decoded by itself, of those that
// have left; the answer is a *Picture.
type Newest struct {
	// Rendition is a rendition's name, "" the public one's.
	Rendition string
}

// Picture answers Newest.
type Picture struct {
	// Unit is an IDR picture of H.264, with its sequence header. It is nil where there is none that
	// may be shown, and Reason says why.
	Unit   *topic.Unit
	Reason string
	// Unknown says that there is no such rendition.
	Unknown bool
	// Version is that of the settings that it was filtered under, 0 for the publisher's own. Only
	// what has Floor at least may be shown now: it was filtered as the present blur says.
	Version, Floor uint64
}

// entry is the newest picture of a lane that can be decoded by itself.
type entry struct {
	unit    *topic.Unit
	version uint64
}

func (l *lane) note(u *topic.Unit, version uint64) { l.newest = entry{u, version} }

// blurs notes since when the blur is what it is.
func (m *Machine) blurs(before, after *settings.Settings) {
	if before == nil || before.Blur.Mode != after.Blur.Mode ||
		!slices.Equal(before.Blur.Rects, after.Blur.Rects) {
		m.blurred = after.Version
	}
}

// floor is the least version of settings under which a picture may be shown that has left before.
// What is commanded counts at once, before it is reported to hold.
func (m *Machine) floor() uint64 {
	if len(m.settings.Blur.Rects) == 0 {
		return 0
	}
	return max(1, m.blurred)
}

// Newest answers the question.
func (m *Machine) Newest(n *Newest) *Picture {
	if m.settings == nil {
		return &Picture{Reason: "the broadcast is just beginning"}
	}
	l := m.lane(n.Rendition)
	if l == nil {
		return &Picture{Unknown: true, Reason: "there is no rendition " + n.Rendition}
	}
	p := &Picture{Unit: l.newest.unit, Version: l.newest.version, Floor: m.floor()}
	if p.Unit != nil && p.Version >= p.Floor {
		return p
	}
	p.Unit = nil
	h := &Holds{}
	if m.withheld(l, h); l.phase == passing {
		h.Note = m.source.unreadable()
	}
	switch {
	case h.Note != "":
		p.Reason = h.Note
	case m.source.headers[media.Video] == nil:
		p.Reason = "the broadcast has no video"
	case l.newest.unit != nil:
		p.Reason = "not yet: no picture that can be decoded by itself has come since the blur changed"
	default:
		p.Reason = "not yet: no picture that can be decoded by itself has come"
	}
	return p
}
