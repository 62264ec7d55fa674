//go:build !cgo

package av

import "github.com/headwater-live/headwater/codec/media"

// Available tells whether codecs are there: whether this was built with cgo.
const Available = false

// EncoderLibrary is what encodes H.264 in this build: nothing.
const EncoderLibrary = "none"

const minEncodedSide = 2

// Version says that there is no libavcodec.
func Version() string { return "none (built without cgo)" }

// Live returns 0: nothing can be opened.
func Live() (codecs, frames int) { return 0, 0 }

func unavailable(call string) error {
	return refuse(ErrUnavailable, call, "Headwater was built without cgo")
}

// Frame is a picture of 8 bit I420. Without cgo there is none.
type Frame struct{}

// Size returns 0.
func (*Frame) Size() (width, height int) { return 0, 0 }

// PTS returns 0.
func (*Frame) PTS() media.Time { return 0 }

// SetPTS does nothing.
func (*Frame) SetPTS(media.Time) {}

// Plane returns nothing.
func (*Frame) Plane(int) (pix []byte, stride int) { return nil, 0 }

// Corrupt returns true.
func (*Frame) Corrupt() bool { return true }

// Display returns nothing.
func (*Frame) Display() Display { return Display{} }

// Retain returns f.
func (f *Frame) Retain() *Frame { return f }

// Release does nothing.
func (*Frame) Release() {}

// Pool makes frames. Without cgo there is none.
type Pool struct{}

// NewPool returns ErrUnavailable.
func NewPool(_, _, _ int) (*Pool, error) { return nil, unavailable("NewPool") }

// Get returns ErrUnavailable.
func (*Pool) Get() (*Frame, error) { return nil, unavailable("Pool.Get") }

// Close does nothing.
func (*Pool) Close() {}

// Decoder decodes H.264. Without cgo there is none.
type Decoder struct{}

// NewDecoder returns ErrUnavailable.
func NewDecoder([]byte, Limits) (*Decoder, error) { return nil, unavailable("NewDecoder") }

// Configure returns ErrUnavailable.
func (*Decoder) Configure([]byte) error { return unavailable("Decoder.Configure") }

// Decode returns ErrUnavailable.
func (*Decoder) Decode([]byte, media.Time, media.Time, func(*Frame) error) error {
	return unavailable("Decoder.Decode")
}

// Flush returns ErrUnavailable.
func (*Decoder) Flush(func(*Frame) error) error { return unavailable("Decoder.Flush") }

// Close does nothing.
func (*Decoder) Close() {}

// NewEncoder returns ErrUnavailable.
func NewEncoder(EncoderOptions) (Encoder, error) { return nil, unavailable("NewEncoder") }

// AACDecoder decodes AAC. Without cgo there is none.
type AACDecoder struct{}

// NewAACDecoder returns ErrUnavailable.
func NewAACDecoder([]byte) (*AACDecoder, error) { return nil, unavailable("NewAACDecoder") }

// Configure returns ErrUnavailable.
func (*AACDecoder) Configure([]byte) error { return unavailable("AACDecoder.Configure") }

// Decode returns ErrUnavailable.
func (*AACDecoder) Decode([]byte, func(Samples) error) error {
	return unavailable("AACDecoder.Decode")
}

// Close does nothing.
func (*AACDecoder) Close() {}

// AACEncoder encodes AAC. Without cgo there is none.
type AACEncoder struct{ audioEncoder }

// OpusEncoder encodes Opus. Without cgo there is none.
type OpusEncoder struct{ audioEncoder }

type audioEncoder struct{}

// NewAACEncoder returns ErrUnavailable.
func NewAACEncoder(_, _, _ int) (*AACEncoder, error) { return nil, unavailable("NewAACEncoder") }

// NewOpusEncoder returns ErrUnavailable.
func NewOpusEncoder(_, _, _ int) (*OpusEncoder, error) { return nil, unavailable("NewOpusEncoder") }

// Config returns nothing.
func (*audioEncoder) Config() []byte { return nil }

// FrameLength returns 0.
func (*audioEncoder) FrameLength() int { return 0 }

// Priming returns 0.
func (*audioEncoder) Priming() int { return 0 }

// Encode returns ErrUnavailable.
func (*audioEncoder) Encode(Samples, media.Time, func(AudioPacket) error) error {
	return unavailable("Encode")
}

// Flush returns ErrUnavailable.
func (*audioEncoder) Flush(func(AudioPacket) error) error { return unavailable("Flush") }

// Close does nothing.
func (*audioEncoder) Close() {}

// Resampler changes the rate of sound. Without cgo there is none.
type Resampler struct{}

// NewResampler returns ErrUnavailable.
func NewResampler(_, _, _, _ int) (*Resampler, error) { return nil, unavailable("NewResampler") }

// Resample returns ErrUnavailable.
func (*Resampler) Resample(Samples, func(Samples) error) error {
	return unavailable("Resampler.Resample")
}

// Flush returns ErrUnavailable.
func (*Resampler) Flush(func(Samples) error) error { return unavailable("Resampler.Flush") }

// Close does nothing.
func (*Resampler) Close() {}
