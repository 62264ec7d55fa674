package link

import (
	"encoding/binary"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// Version is the highest of the protocol that this node speaks, Least the lowest. A release that
// makes a version speaks the one before too, so that nodes can be upgraded one by one.
const (
	Version = 1
	Least   = 1
)

// frameType is what a frame is.
type frameType uint8

const (
	typeHello frameType = iota + 1
	typeRefuse
	typeSubscribe
	typeUnsubscribe
	typeUnit
	typeBegin
	typeEnd
	typeSeal
	typeGone
	typePing
	typePong
)

// Sizes, in bytes.
const (
	prefixSize    = 5  // length and type
	unitFixed     = 50 // a unit but for prefix and body
	unitHead      = prefixSize + unitFixed
	subscribeHead = 21
	helloFixed    = 5
	maxName       = 64  // of a node, as its configuration has it
	maxText       = 512 // of anything that is no unit
	maxKey        = 255
	maxRendition  = 64
)

const magic = "HWLK"

// place is a unit's place in a broadcast; the zero place is none.
type place struct{ epoch, seq uint64 }

// frame is one frame that was read; which fields count depends on its type.
type frame struct {
	typ       frameType
	id        uint32
	place     place // of a unit, of what is sealed, of where to resume
	header    uint64
	unit      media.AccessUnit
	versions  span   // of a hello
	text      string // the name of a hello, the reason of a refusal, the key of a subscription
	rendition string
	stamp     int64
}

// begin appends what a frame of size bytes behind its prefix begins with.
func begin(dst []byte, typ frameType, size int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(size+1)) //nolint:gosec // sizes are bounded
	return append(dst, byte(typ))
}

func appendHello(dst []byte, versions span, name string) []byte {
	size := helloFixed
	if versions.most > 1 {
		size++
	}
	dst = begin(dst, typeHello, size+len(name))
	dst = append(dst, magic...)
	dst = append(dst, versions.most)
	if versions.most > 1 {
		dst = append(dst, versions.least)
	}
	return append(dst, name...)
}

func appendRefuse(dst []byte, reason string) []byte {
	reason = reason[:min(len(reason), maxText)]
	return append(begin(dst, typeRefuse, len(reason)), reason...)
}

func appendSubscribe(dst []byte, id uint32, key, rendition string, from place) []byte {
	dst = begin(dst, typeSubscribe, subscribeHead+len(key)+len(rendition))
	dst = binary.BigEndian.AppendUint32(dst, id)
	dst = appendPlace(dst, from)
	dst = append(dst, byte(len(key)))
	dst = append(dst, key...)
	return append(dst, rendition...)
}

func appendPlace(dst []byte, p place) []byte {
	dst = binary.BigEndian.AppendUint64(dst, p.epoch)
	return binary.BigEndian.AppendUint64(dst, p.seq)
}

// appendID is for the frames that name a subscription and nothing else.
func appendID(dst []byte, typ frameType, id uint32) []byte {
	return binary.BigEndian.AppendUint32(begin(dst, typ, 4), id)
}

func appendBegin(dst []byte, id uint32, epoch uint64) []byte {
	dst = binary.BigEndian.AppendUint32(begin(dst, typeBegin, 12), id)
	return binary.BigEndian.AppendUint64(dst, epoch)
}

func appendSeal(dst []byte, id uint32, s *topic.Seal) []byte {
	dst = binary.BigEndian.AppendUint32(begin(dst, typeSeal, 20), id)
	return appendPlace(dst, place{s.Epoch, s.Seq})
}

func appendStamp(dst []byte, typ frameType, stamp int64) []byte {
	return binary.BigEndian.AppendUint64(begin(dst, typ, 8), uint64(stamp)) //nolint:gosec // bits
}

// putUnit writes all of a unit's frame but its body.
func putUnit(dst *[unitHead]byte, id uint32, u *topic.Unit) {
	b := begin(dst[:0], typeUnit, unitFixed+len(u.Body))
	b = binary.BigEndian.AppendUint32(b, id)
	b = append(b, byte(u.Kind), byte(u.Role))
	b = binary.BigEndian.AppendUint32(b, uint32(u.Codec))
	b = appendPlace(b, place{u.Epoch, u.Seq})
	header := uint64(0)
	if u.Header != nil && u.Header.Epoch == u.Epoch {
		header = u.Header.Seq
	}
	b = binary.BigEndian.AppendUint64(b, header)
	b = binary.BigEndian.AppendUint64(b, uint64(u.DTS)) //nolint:gosec // bits
	binary.BigEndian.AppendUint64(b, uint64(u.CTS))     //nolint:gosec // bits
}
