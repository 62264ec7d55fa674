package topic

import (
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// Unit is an access unit with its place in a topic and the headers of its container forms. It is
// made once and shared by rings, relays and viewers; nobody changes it.
type Unit struct {
	media.AccessUnit
	// Epoch names the incarnation of the broadcast that the unit comes from.
	Epoch uint64
	// Seq counts the units of the epoch from 1.
	Seq uint64
	// Header is the track's sequence header at the time, nil if there was none: it is Droppable as
	// any unit, and a decoder would go wrong without it.
	Header *Unit
	// Arrived is when the node got it, in Unix nanoseconds; 0 where that is not measured.
	Arrived int64

	flv     [flv.TagHeaderSize]byte
	rtmp    [rtmp.MaxHeader]byte
	rtmpLen uint8
}

// NewBody gives the memory of a unit's bytes: Body to be filled, and Tail, which is Body and what
// an FLV tag ends with.
func NewBody(n int) (body, tail []byte) { return flv.NewBody(n) }

// playStream is the message stream that viewers play on: the first one a connection creates.
const playStream = 1

// NewUnit gives an access unit its place and serialises the headers that it travels under.
func NewUnit(epoch, seq uint64, au media.AccessUnit) *Unit {
	u := &Unit{AccessUnit: au, Epoch: epoch, Seq: seq}
	u.stamp()
	return u
}

func (u *Unit) stamp() {
	flv.PutTagHeader(&u.flv, u.Kind, u.DTS, len(u.Body))
	csid, typ := rtmp.ChunkData, rtmp.TypeData
	switch u.Kind {
	case media.Video:
		csid, typ = rtmp.ChunkVideo, rtmp.TypeVideo
	case media.Audio:
		csid, typ = rtmp.ChunkAudio, rtmp.TypeAudio
	case media.Data:
	}
	ts := uint32(u.DTS.Millis()) //nolint:gosec // RTMP timestamps wrap at 32 bits
	u.rtmpLen = uint8(rtmp.PutHeader(&u.rtmp, csid, typ, ts, playStream, len(u.Body)))
}

// at returns the unit at another decoding time, with the same bytes.
func (u *Unit) at(dts media.Time) *Unit {
	if dts == u.DTS {
		return u
	}
	moved := *u
	moved.DTS = dts
	moved.stamp()
	return &moved
}

// Moved returns the unit on another timeline, which is ahead by the given time. It shares its
// bytes.
func (u *Unit) Moved(by media.Time) *Unit { return u.at(u.DTS + by) }

// Placed returns the unit at another place: in another topic, or under another header there. It is
// the unit itself where nothing changes, and shares its bytes in any case.
func (u *Unit) Placed(epoch, seq uint64, header *Unit) *Unit {
	if u.Epoch == epoch && u.Seq == seq && u.Header == header {
		return u
	}
	placed := *u
	placed.Epoch, placed.Seq, placed.Header = epoch, seq, header
	return &placed
}

// FLV returns the unit as an FLV tag with its PreviousTagSize, in two pieces.
func (u *Unit) FLV() (header, rest []byte) { return u.flv[:], u.Tail }

// RTMP returns the unit as an RTMP message in one chunk, in two pieces.
func (u *Unit) RTMP() (header, rest []byte) { return u.rtmp[:u.rtmpLen], u.Body }

// Size is what the unit costs a ring, in bytes.
func (u *Unit) Size() int { return len(u.Tail) }

// Droppable lets a full mailbox drop the unit: its topic then skips to the next keyframe.
func (u *Unit) Droppable() {}

// Headers are the units that a decoder needs before any other, one a kind; nil where there is none.
type Headers [media.Kinds]*Unit
