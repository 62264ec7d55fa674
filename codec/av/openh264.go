//go:build cgo && openh264

package av

// #cgo pkg-config: openh264
import "C"

// EncoderLibrary is what encodes H.264 in this build. It has no presets, sizes from 16x16 on, and
// looser manners than x264 in keeping to a bit rate.
const EncoderLibrary = "libopenh264"

// minEncodedSide is the least width and height.
const minEncodedSide = 16

const (
	openCall   = "ISVCEncoder.InitializeExt"
	encodeCall = "ISVCEncoder.EncodeFrame"
)
