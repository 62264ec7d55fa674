package av

import (
	"math"
	"slices"

	"github.com/headwater-live/headwater/codec/media"
)

// Encoder encodes H.264. Behind it is x264, or openh264 where that build tag was given.
type Encoder interface {
	// Encode encodes a frame of exactly the encoder's size, which it only reads, into a packet of
	// the same time. idr makes it an IDR picture; the first always is.
	Encode(f *Frame, pts media.Time, idr bool) (Packet, error)
	// SetBitrate changes the bit rate, in bits/s, from the next frame on, without an IDR picture.
	SetBitrate(bps int) error
	// Record is the AVCDecoderConfigurationRecord, the same slice always. Do not write to it.
	Record() []byte
	// Close frees the encoder. Closing twice is safe.
	Close()
}

// Packet is a coded picture. There is no reordering: its decoding time is its PTS.
type Packet struct {
	PTS media.Time
	IDR bool
	// Data is NAL units with lengths of four bytes in front, SPS and PPS first in each IDR picture.
	// It is C memory, valid until the next call of its encoder.
	Data []byte
}

// EncoderOptions say what NewEncoder makes.
type EncoderOptions struct {
	// Width and Height are even, 2 (with openh264 16) to 4096.
	Width, Height int
	// FPS is the rate that frames come at, which rate control believes; 0 stands for 30.
	FPS float64
	// Bitrate is in bits/s, 16000 to 200 million. It is the greatest as well, over any second.
	Bitrate int
	// GOP is the number of frames from one IDR picture to the next at most; 0 makes only those
	// that Encode is asked for.
	GOP int
	// Preset is x264's, such as "veryfast"; empty stands for "superfast". openh264 has none.
	Preset string
	// Display is written into the stream.
	Display Display
}

// The bounds of EncoderOptions.
const (
	maxEncodedSide = 4096
	minBitrate     = 16_000
	maxBitrate     = 200_000_000
	maxFPS         = 240
	endlessGOP     = 1 << 30 // X264_KEYINT_MAX_INFINITE
)

// presets are x264's. It would tell stderr about any other.
var presets = [...]string{
	"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
	"placebo",
}

// check holds the options to their bounds and fills in what is left out.
func (o EncoderOptions) check(call string) (EncoderOptions, error) {
	if o.FPS == 0 {
		o.FPS = 30
	}
	if o.GOP == 0 {
		o.GOP = endlessGOP
	}
	if o.Preset == "" {
		o.Preset = "superfast"
	}
	side := func(n int) bool { return n >= minEncodedSide && n <= maxEncodedSide && n%2 == 0 }
	switch {
	case !slices.Contains(presets[:], o.Preset):
		return o, refuse(ErrOption, call, "preset %q, want one of %q", o.Preset, presets)
	case !side(o.Width) || !side(o.Height):
		return o, refuse(ErrOption, call, "%dx%d, want even sides from %d to %d",
			o.Width, o.Height, minEncodedSide, maxEncodedSide)
	case math.IsNaN(o.FPS) || o.FPS < 1 || o.FPS > maxFPS:
		return o, refuse(ErrOption, call, "%g frames a second, want 1 to %d", o.FPS, maxFPS)
	case o.GOP < 1 || o.GOP > endlessGOP:
		return o, refuse(ErrOption, call, "GOP of %d frames", o.GOP)
	}
	return o, checkBitrate(call, o.Bitrate)
}

func checkBitrate(call string, bps int) error {
	if bps < minBitrate || bps > maxBitrate {
		return refuse(ErrOption, call, "%d bits/s, want %d to %d", bps, minBitrate, maxBitrate)
	}
	return nil
}
