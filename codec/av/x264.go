//go:build cgo && !openh264

package av

// EncoderLibrary is what encodes H.264 in this build.
const EncoderLibrary = "libx264"

// minEncodedSide is the least width and height.
const minEncodedSide = 2

const (
	openCall   = "avcodec_open2(libx264)"
	encodeCall = "avcodec_send_frame(libx264)"
)
