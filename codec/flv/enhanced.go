package flv

import (
	"fmt"

	"github.com/headwater-live/headwater/codec/media"
)

// exVideo is the IsExHeader bit of a video body (Enhanced RTMP v2, "ExVideoTagHeader").
const exVideo = 0x80

// VideoPacketType of Enhanced RTMP v2.
const (
	videoSequenceStart  = 0
	videoCodedFrames    = 1
	videoSequenceEnd    = 2
	videoCodedFramesX   = 3
	videoMetadata       = 4
	videoMPEG2TSStart   = 5
	videoMultitrack     = 6
	videoModEx          = 7
	audioSequenceStart  = 0
	audioCodedFrames    = 1
	audioSequenceEnd    = 2
	audioMultichannel   = 4
	audioMultitrack     = 5
	audioModEx          = 7
	modExTimestampNanos = 0
)

// AvMultitrackType of Enhanced RTMP v2.
const (
	oneTrack             = 0
	manyTracks           = 1
	manyTracksManyCodecs = 2
)

// exHeader is the part of an extended header that audio and video have in common.
type exHeader struct {
	packet byte         // packet type behind ModEx and Multitrack
	codec  media.FourCC // zero for many codecs
	nanos  media.Time
	pos    int // of what follows
	multi  bool
	second bool // a single track other than the default one
}

// readModEx steps over the modifiers in front of the packet type. modEx is the packet type that
// announces one.
func (h *exHeader) readModEx(body []byte, modEx byte) error {
	for h.packet == modEx {
		if h.pos >= len(body) {
			return fmt.Errorf("%w: ModEx size at byte %d", ErrTruncated, h.pos)
		}
		size := int(body[h.pos]) + 1
		h.pos++
		if size == 256 {
			if len(body)-h.pos < 2 {
				return fmt.Errorf("%w: long ModEx size at byte %d", ErrTruncated, h.pos)
			}
			size = (int(body[h.pos])<<8 | int(body[h.pos+1])) + 1
			h.pos += 2
		}
		if len(body)-h.pos < size+1 {
			return fmt.Errorf("%w: ModEx of %d bytes at byte %d", ErrTruncated, size, h.pos)
		}
		data := body[h.pos : h.pos+size]
		h.pos += size
		kind := body[h.pos] >> 4
		h.packet = body[h.pos] & 0x0f
		h.pos++
		if kind == modExTimestampNanos && size >= 3 {
			n := media.Time(data[0])<<16 | media.Time(data[1])<<8 | media.Time(data[2])
			h.nanos = min(n, media.Millisecond-1)
		}
	}
	return nil
}

// readCodec reads the multitrack header, if any, and the FourCC. multitrack is the packet type
// that announces several tracks.
func (h *exHeader) readCodec(body []byte, multitrack byte) error {
	kind := byte(oneTrack)
	if h.packet == multitrack {
		if h.pos >= len(body) {
			return fmt.Errorf("%w: multitrack type at byte %d", ErrTruncated, h.pos)
		}
		kind, h.packet, h.multi = body[h.pos]>>4, body[h.pos]&0x0f, true
		h.pos++
		if kind > manyTracksManyCodecs || h.packet == multitrack {
			return fmt.Errorf("%w: multitrack type %d of packet type %d",
				ErrInvalid, kind, h.packet)
		}
	}
	if kind != manyTracksManyCodecs {
		if len(body)-h.pos < 4 {
			return fmt.Errorf("%w: FourCC at byte %d", ErrTruncated, h.pos)
		}
		h.codec = media.FourCC(be32(body[h.pos:]))
		h.pos += 4
	}
	if h.multi && kind == oneTrack {
		if h.pos >= len(body) {
			return fmt.Errorf("%w: track id at byte %d", ErrTruncated, h.pos)
		}
		h.second = body[h.pos] != 0
	}
	return nil
}

// info begins the classification of a body with this header.
func (h *exHeader) info() Info {
	info := Info{Codec: h.codec, Flags: Enhanced, CTS: h.nanos, Payload: h.pos}
	if h.multi {
		info.Flags |= Multitrack
	}
	return info
}

func parseExVideo(body []byte) (Info, error) {
	frameType := body[0] >> 4 & 7
	h := exHeader{packet: body[0] & 0x0f, pos: 1}
	if err := h.readModEx(body, videoModEx); err != nil {
		return Info{}, err
	}
	if frameType == frameCommand && h.packet != videoMetadata {
		return Info{Flags: Enhanced | CommandFrame, CTS: h.nanos, Payload: h.pos}, nil
	}
	if err := h.readCodec(body, videoMultitrack); err != nil {
		return Info{}, err
	}
	info := h.info()
	role, flags := pictureRole(frameType)
	switch h.packet {
	case videoSequenceStart, videoMPEG2TSStart:
		info.Role = media.SequenceHeader
	case videoCodedFrames:
		info.Role = role
		info.Flags |= flags
		if !h.multi && hasCompositionTime(h.codec) {
			if len(body)-h.pos < 3 {
				return Info{}, fmt.Errorf("%w: composition time at byte %d", ErrTruncated, h.pos)
			}
			info.CTS += media.FromMillis(int64(si24(body[h.pos:])))
			info.Payload += 3
			info.Flags |= Composition
		}
	case videoCodedFramesX:
		info.Role = role
		info.Flags |= flags
	case videoSequenceEnd:
		info.Flags |= EndOfSequence
	case videoMetadata:
		info.Flags |= VideoMetadata
	default:
		return Info{}, fmt.Errorf("%w: %s packet type %d", ErrInvalid, h.codec, h.packet)
	}
	if h.second {
		info.Role = media.Frame
	}
	return info, nil
}

// hasCompositionTime reports whether CodedFrames of the codec begin with a 24 bit composition
// time (Enhanced RTMP v2, "ExVideoTagBody").
func hasCompositionTime(codec media.FourCC) bool {
	return codec == media.AVC || codec == media.HEVC || codec == fourCC("vvc1")
}

func parseExAudio(body []byte) (Info, error) {
	h := exHeader{packet: body[0] & 0x0f, pos: 1}
	if err := h.readModEx(body, audioModEx); err != nil {
		return Info{}, err
	}
	if err := h.readCodec(body, audioMultitrack); err != nil {
		return Info{}, err
	}
	info := h.info()
	switch h.packet {
	case audioSequenceStart:
		info.Role = media.SequenceHeader
	case audioMultichannel:
		info.Role = media.SequenceHeader
		info.Flags |= Multichannel
	case audioCodedFrames:
		info.Role = media.Keyframe
	case audioSequenceEnd:
		info.Flags |= EndOfSequence
	default:
		return Info{}, fmt.Errorf("%w: %s packet type %d", ErrInvalid, h.codec, h.packet)
	}
	if h.second {
		info.Role = media.Frame
	}
	return info, nil
}
