package flv

import (
	"fmt"

	"github.com/headwater-live/headwater/codec/media"
)

// Legacy video: frame types, codec numbers and packet types (Annex E.4.3.1).
const (
	frameKey        = 1
	frameDisposable = 3
	frameGenerated  = 4
	frameCommand    = 5

	codecAVC = 7
	// codecHEVC is outside the standard but common: the packet layout of AVC with an HEVC
	// configuration record.
	codecHEVC = 12

	packetHeader = 0
	packetCoded  = 1
	packetEnd    = 2

	avcHeaderSize = 5
)

// Legacy audio: sound formats (Annex E.4.2.1).
const (
	soundAAC = 10
	soundEx  = 9 // reserved in FLV 10.1; Enhanced RTMP's extended header
)

// legacyVideo gives the FourCC of a legacy CodecID: what MP4 and QuickTime call it, or AVI where
// those have no name.
func legacyVideo(id byte) media.FourCC {
	switch id {
	case 1:
		return fourCC("jpeg")
	case 2:
		return fourCC("FLV1")
	case 3:
		return fourCC("FSV1")
	case 4:
		return fourCC("VP6F")
	case 5:
		return fourCC("VP6A")
	case 6:
		return fourCC("FSV2")
	case codecAVC:
		return media.AVC
	case codecHEVC:
		return media.HEVC
	}
	return 0
}

// legacyAudio gives the FourCC of a legacy SoundFormat.
func legacyAudio(format byte) media.FourCC {
	switch format {
	case 0, 3:
		return fourCC("lpcm")
	case 1:
		return fourCC("swfa")
	case 2, 14:
		return media.MP3
	case 4, 5, 6:
		return fourCC("nmos")
	case 7:
		return fourCC("alaw")
	case 8:
		return fourCC("ulaw")
	case soundAAC:
		return media.AAC
	case 11:
		return fourCC("spex")
	}
	return 0
}

func fourCC(s string) media.FourCC {
	return media.FourCC(s[0])<<24 | media.FourCC(s[1])<<16 | media.FourCC(s[2])<<8 |
		media.FourCC(s[3])
}

// pictureRole gives the role and flags that a frame type stands for.
func pictureRole(frameType byte) (media.Role, Flags) {
	switch frameType {
	case frameKey, frameGenerated:
		return media.Keyframe, 0
	case frameDisposable:
		return media.Frame, Disposable
	}
	return media.Frame, 0
}

func parseVideo(body []byte) (Info, error) {
	frameType, id := body[0]>>4, body[0]&0x0f
	info := Info{Codec: legacyVideo(id), Payload: 1}
	if frameType == frameCommand {
		info.Flags = CommandFrame
		return info, nil
	}
	if info.Codec == 0 {
		return Info{}, fmt.Errorf("%w: video codec number %d", ErrInvalid, id)
	}
	info.Role, info.Flags = pictureRole(frameType)
	if id != codecAVC && id != codecHEVC {
		return info, nil
	}
	if len(body) < avcHeaderSize {
		return Info{}, fmt.Errorf("%w: %s header needs %d bytes",
			ErrTruncated, info.Codec, avcHeaderSize)
	}
	info.Payload = avcHeaderSize
	switch body[1] {
	case packetHeader:
		info.Role, info.Flags = media.SequenceHeader, 0
	case packetCoded:
		info.Flags |= Composition
		info.CTS = media.FromMillis(int64(si24(body[2:])))
	case packetEnd:
		info.Role, info.Flags = media.Frame, EndOfSequence
	default:
		return Info{}, fmt.Errorf("%w: %s packet type %d", ErrInvalid, info.Codec, body[1])
	}
	return info, nil
}

func parseAudio(body []byte) (Info, error) {
	format := body[0] >> 4
	info := Info{Codec: legacyAudio(format), Role: media.Keyframe, Payload: 1}
	if info.Codec == 0 {
		return Info{}, fmt.Errorf("%w: sound format %d", ErrInvalid, format)
	}
	if format != soundAAC {
		return info, nil
	}
	if len(body) < 2 {
		return Info{}, fmt.Errorf("%w: AAC header needs 2 bytes", ErrTruncated)
	}
	info.Payload = 2
	switch body[1] {
	case packetHeader:
		info.Role = media.SequenceHeader
	case packetCoded:
	default:
		return Info{}, fmt.Errorf("%w: AAC packet type %d", ErrInvalid, body[1])
	}
	return info, nil
}
