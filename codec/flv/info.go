package flv

import (
	"fmt"

	"github.com/headwater-live/headwater/codec/media"
)

// Flags tell what Role and Codec do not.
type Flags uint16

// The flags of a body.
const (
	// Enhanced: the body has an Enhanced RTMP header.
	Enhanced Flags = 1 << iota
	// EndOfSequence: no more coded media follows under the present header. Role is Frame.
	EndOfSequence
	// VideoMetadata: an Enhanced RTMP VideoPacketType.Metadata (HDR colour). Role is Frame.
	VideoMetadata
	// CommandFrame: frame type 5, a seek hint for the player without coded media. Role is Frame.
	CommandFrame
	// Multitrack: an Enhanced RTMP v2 multitrack body. See Parse.
	Multitrack
	// Disposable: no other picture refers to this one.
	Disposable
	// Multichannel: an AudioPacketType.MultichannelConfig. Role is SequenceHeader, but it stands
	// beside the track's decoder configuration and does not replace it.
	Multichannel
	// SetDataFrame: the script body begins with "@setDataFrame", which is for servers only.
	SetDataFrame
	// Composition: the three bytes in front of Payload are a composition time. See SetCTS.
	Composition
)

// Has reports whether all of want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Info classifies a tag body. It holds no reference to it.
type Info struct {
	Codec media.FourCC // zero when the body names none
	Role  media.Role
	Flags Flags
	// CTS is the composition offset, the nanosecond offset of Enhanced RTMP v2 included.
	CTS media.Time
	// Payload is the offset in the body of what the codec gets: the access unit, the decoder
	// configuration record. It is at most the body's length.
	Payload int
}

// Parse classifies the body of a tag of the given kind without copying or keeping it.
//
// Every audio frame is a Keyframe. A FourCC that Headwater does not know is carried. A multitrack
// body (Enhanced RTMP v2) is one whole to Headwater: it has the role of its inner packet type when
// it holds several tracks or only the default track 0, and Payload is at its first track's id. A
// body of a single further track is always a Frame: its headers must not replace those of track 0
// and its keyframes must not begin a GOP.
//
// The error wraps ErrTruncated or ErrInvalid.
func Parse(kind media.Kind, body []byte) (Info, error) {
	var (
		info Info
		err  error
	)
	switch {
	case len(body) == 0:
		err = fmt.Errorf("%w: empty body", ErrTruncated)
	case kind == media.Video && body[0]&exVideo != 0:
		info, err = parseExVideo(body)
	case kind == media.Video:
		info, err = parseVideo(body)
	case kind == media.Audio && body[0]>>4 == soundEx:
		info, err = parseExAudio(body)
	case kind == media.Audio:
		info, err = parseAudio(body)
	case kind == media.Data:
		info = parseScript(body)
	default:
		err = fmt.Errorf("%w: no such kind", ErrInvalid)
	}
	if err != nil {
		return Info{}, fmt.Errorf("%s body of %d bytes: %w", kind, len(body), err)
	}
	return info, nil
}

// SetCTS writes another composition offset into a body that has a field for one, and returns the
// Info that then describes it. It is for the body's maker, before anyone else sees the body. cts is
// rounded down to milliseconds; the nanosecond offset of Enhanced RTMP v2 is left as it is. It
// reports false, and changes nothing, without such a field or if cts does not fit 24 bits.
func SetCTS(body []byte, info Info, cts media.Time) (Info, bool) {
	const bound = 1 << 23
	ms := cts.Millis()
	if !info.Flags.Has(Composition) || ms < -bound || ms >= bound {
		return info, false
	}
	field := body[info.Payload-3 : info.Payload]
	nanos := info.CTS - media.FromMillis(int64(si24(field)))
	field[0], field[1], field[2] = byte(ms>>16), byte(ms>>8), byte(ms)
	info.CTS = media.FromMillis(ms) + nanos
	return info, true
}

// Unit makes an access unit of a body and its tail, which are as NewBody gave them, and a DTS. The
// unit shares their memory. The error is Parse's, or says that body and tail do not belong
// together.
func Unit(kind media.Kind, dts media.Time, body, tail []byte) (media.AccessUnit, error) {
	info, err := Parse(kind, body)
	if err != nil {
		return media.AccessUnit{}, err
	}
	if err := checkTail(body, tail); err != nil {
		return media.AccessUnit{}, err
	}
	return media.AccessUnit{
		Kind: kind, Role: info.Role, Codec: info.Codec,
		DTS: dts, CTS: info.CTS, Body: body, Tail: tail,
	}, nil
}

func checkTail(body, tail []byte) error {
	n := len(body)
	if len(tail) != n+previousTagSize {
		return fmt.Errorf("%w: tail of %d bytes behind a body of %d", ErrInvalid, len(tail), n)
	}
	if &body[0] != &tail[0] {
		return fmt.Errorf("%w: body and tail lie in different memory", ErrInvalid)
	}
	if got := be32(tail[n:]); got != uint32(TagHeaderSize+n) {
		return fmt.Errorf("%w: PreviousTagSize %d, want %d", ErrInvalid, got, TagHeaderSize+n)
	}
	return nil
}

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// si24 reads a signed 24 bit number.
func si24(b []byte) int32 {
	return int32(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8) >> 8
}
