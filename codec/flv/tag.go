package flv

import (
	"encoding/binary"

	"github.com/headwater-live/headwater/codec/media"
)

// Sizes of the fixed parts of an FLV stream, in bytes.
const (
	// TagHeaderSize is the size of the header in front of each tag body.
	TagHeaderSize = 11
	// FileHeaderSize is the size of the file header with the PreviousTagSize0 that follows it.
	FileHeaderSize = 13
	// MaxBodySize is the largest body that a tag's 24 bit DataSize can state.
	MaxBodySize = 1<<24 - 1

	previousTagSize = 4
)

// Tag types (Annex E.4.1, TagType), which are RTMP's message types too.
const (
	TypeAudio  = 8
	TypeVideo  = 9
	TypeScript = 18
)

// NewBody gives the memory of one tag: body of n bytes for the caller to fill, and tail, which is
// body followed by the tag's PreviousTagSize (11+n, already written). Both share one allocation of
// n+4 bytes; body cannot be appended to without copying, so the size behind it is safe.
//
// The size is fixed here: whoever wants a shorter body (see StripSetDataFrame) cuts it before it
// asks for memory. n is from 0 to MaxBodySize.
func NewBody(n int) (body, tail []byte) {
	tail = make([]byte, n+previousTagSize)
	binary.BigEndian.PutUint32(tail[n:], uint32(TagHeaderSize+n))
	return tail[:n:n], tail
}

// PutTagHeader writes the header of a tag (Annex E.4.1). dts is rounded down to milliseconds and
// wraps at 2^32 of them (49.7 days), the upper eight bits in the extended timestamp byte. bodyLen
// is from 0 to MaxBodySize. StreamID is 0.
func PutTagHeader(dst *[TagHeaderSize]byte, kind media.Kind, dts media.Time, bodyLen int) {
	ms := uint32(dts.Millis())
	dst[0] = tagType(kind)
	dst[1], dst[2], dst[3] = byte(bodyLen>>16), byte(bodyLen>>8), byte(bodyLen)
	dst[4], dst[5], dst[6] = byte(ms>>16), byte(ms>>8), byte(ms)
	dst[7] = byte(ms >> 24)
	dst[8], dst[9], dst[10] = 0, 0, 0
}

// AppendTag appends a whole tag: header, body and PreviousTagSize. See PutTagHeader.
func AppendTag(dst []byte, kind media.Kind, dts media.Time, body []byte) []byte {
	var h [TagHeaderSize]byte
	PutTagHeader(&h, kind, dts, len(body))
	dst = append(dst, h[:]...)
	dst = append(dst, body...)
	return binary.BigEndian.AppendUint32(dst, uint32(TagHeaderSize+len(body)))
}

// FileHeader returns the header of an FLV stream (Annex E.2) and its PreviousTagSize0. The flags
// say which tracks a player should wait for.
func FileHeader(video, audio bool) [FileHeaderSize]byte {
	h := [FileHeaderSize]byte{'F', 'L', 'V', 1, 0, 0, 0, 0, 9}
	if video {
		h[4] |= headerVideo
	}
	if audio {
		h[4] |= headerAudio
	}
	return h
}

// Flags of the file header (Annex E.2).
const (
	headerVideo = 1 << 0
	headerAudio = 1 << 2
)

func tagType(kind media.Kind) byte {
	switch kind {
	case media.Video:
		return TypeVideo
	case media.Audio:
		return TypeAudio
	}
	return TypeScript
}

func kindOf(tagType byte) (media.Kind, bool) {
	switch tagType {
	case TypeVideo:
		return media.Video, true
	case TypeAudio:
		return media.Audio, true
	case TypeScript:
		return media.Data, true
	}
	return media.Data, false
}
