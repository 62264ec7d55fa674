package main

import "encoding/binary"

// markSize is the length in bytes of a mark.
const markSize = 24

// Where the mark stands in a tag body: in video behind the FLV header (5), the length of the first
// NAL unit (4), and its type, SEI payload type and size (3); in audio behind the FLV header.
const (
	videoMark = 5 + 4 + 3
	audioMark = 2
)

// mark is what a viewer reads in each access unit: when it was published, in nanoseconds of clock,
// and its number on its track, from 1.
type mark struct {
	at  int64
	seq uint64
}

// put writes m. The marker tells broadcasts apart, and masks the numbers so that a zero byte, which
// an H.264 byte stream would have to escape, is as rare as any other.
func (m mark) put(dst []byte, marker uint64) {
	binary.BigEndian.PutUint64(dst, marker)
	binary.BigEndian.PutUint64(dst[8:], uint64(m.at)^marker)
	binary.BigEndian.PutUint64(dst[16:], m.seq^marker)
}

// readMark reports false if b does not begin with a mark of that marker.
func readMark(b []byte, marker uint64) (mark, bool) {
	if len(b) < markSize || binary.BigEndian.Uint64(b) != marker {
		return mark{}, false
	}
	return mark{
		at:  int64(binary.BigEndian.Uint64(b[8:]) ^ marker),
		seq: binary.BigEndian.Uint64(b[16:]) ^ marker,
	}, true
}
