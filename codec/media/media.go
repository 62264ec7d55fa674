// Package media is the vocabulary that every part of Headwater shares: times, tracks, access units
// and sequence headers. It holds values only; nothing here reads a clock, a socket or an actor.
package media

import "fmt"

// Time is a point or a span on a broadcast's timeline, in nanoseconds. It is not a clock reading:
// zero is where the broadcast began.
type Time int64

// Units of Time.
const (
	Microsecond Time = 1000
	Millisecond      = 1000 * Microsecond
	Second           = 1000 * Millisecond
)

// Millis returns t in whole milliseconds, the unit of FLV and RTMP timestamps, rounded down.
func (t Time) Millis() int64 {
	if t < 0 {
		return -((-int64(t) + int64(Millisecond) - 1) / int64(Millisecond))
	}
	return int64(t) / int64(Millisecond)
}

// Seconds returns t in seconds.
func (t Time) Seconds() float64 { return float64(t) / float64(Second) }

// FromMillis returns the Time of a count of milliseconds.
func FromMillis(ms int64) Time { return Time(ms) * Millisecond }

// Kind tells what an access unit carries.
type Kind uint8

// The kinds of access unit, in the order in which a late joiner receives their headers.
const (
	Data Kind = iota // script data: onMetaData and its relatives
	Video
	Audio
)

// Kinds is the number of kinds.
const Kinds = 3

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Data:
		return "data"
	case Video:
		return "video"
	case Audio:
		return "audio"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// FourCC names a codec as enhanced RTMP does (Enhanced RTMP v2, "FourCC"). The legacy FLV codec
// numbers are given the FourCC that MP4 uses for them.
type FourCC uint32

// The codecs that Headwater names. Any other FourCC is carried through untouched.
const (
	AVC  FourCC = 'a'<<24 | 'v'<<16 | 'c'<<8 | '1'
	HEVC FourCC = 'h'<<24 | 'v'<<16 | 'c'<<8 | '1'
	AV1  FourCC = 'a'<<24 | 'v'<<16 | '0'<<8 | '1'
	VP9  FourCC = 'v'<<24 | 'p'<<16 | '0'<<8 | '9'
	AAC  FourCC = 'm'<<24 | 'p'<<16 | '4'<<8 | 'a'
	Opus FourCC = 'O'<<24 | 'p'<<16 | 'u'<<8 | 's'
	MP3  FourCC = '.'<<24 | 'm'<<16 | 'p'<<8 | '3'
)

// String returns the four characters, or "none" for the zero FourCC.
func (f FourCC) String() string {
	if f == 0 {
		return "none"
	}
	return string([]byte{byte(f >> 24), byte(f >> 16), byte(f >> 8), byte(f)})
}

// Role tells what part an access unit plays in decoding.
type Role uint8

// The roles of an access unit.
const (
	// Frame is coded media that needs earlier units: a delta picture, or data.
	Frame Role = iota
	// Keyframe is coded media from which decoding can start: an IDR picture, any audio frame.
	Keyframe
	// SequenceHeader configures the decoder for the units that follow it on its track. For Data
	// it is the metadata that a late joiner needs.
	SequenceHeader
)

// String returns the role's name.
func (r Role) String() string {
	switch r {
	case Frame:
		return "frame"
	case Keyframe:
		return "keyframe"
	case SequenceHeader:
		return "header"
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// AccessUnit is one coded picture, one audio frame, one sequence header or one piece of script
// data. Its bytes are written once, by whoever made them, and never change again: every ring, link
// and viewer shares them.
type AccessUnit struct {
	Kind  Kind
	Role  Role
	Codec FourCC
	// DTS is the decoding time. Within one topic it never falls, on any track.
	DTS Time
	// CTS is the composition offset: PTS = DTS + CTS.
	CTS Time
	// Body is the FLV tag body (FLV and Enhanced RTMP: the whole RTMP message), tag header excluded.
	Body []byte
	// Tail is Body followed by the four bytes of its PreviousTagSize, in the same memory, so that
	// an FLV tag is its eleven byte header and Tail. See flv.NewBody.
	Tail []byte
}

// PTS is the presentation time.
func (u *AccessUnit) PTS() Time { return u.DTS + u.CTS }
