// Package av is the contract of codec/av, until that is merged.
package av

import (
	"errors"

	"github.com/headwater-live/headwater/codec/media"
)

// ErrUnavailable says that the binary was built without cgo.
var ErrUnavailable = errors.New("av: unavailable")

type Display struct {
	Full                        bool
	Primaries, Transfer, Matrix uint8
	AspectWidth, AspectHeight   uint16
}

func (f *Frame) Display() Display { return Display{} }

type Limits struct{ Width, Height, Pixels int }

type Frame struct{}

func (f *Frame) Size() (width, height int)            { return 0, 0 }
func (f *Frame) PTS() media.Time                      { return 0 }
func (f *Frame) SetPTS(media.Time)                    {}
func (f *Frame) Plane(i int) (pix []byte, stride int) { return nil, 0 }
func (f *Frame) Corrupt() bool                        { return false }
func (f *Frame) Retain() *Frame                       { return f }
func (f *Frame) Release()                             {}

type Pool struct{}

func NewPool(width, height, frames int) (*Pool, error) { return nil, ErrUnavailable }
func (p *Pool) Get() (*Frame, error)                   { return nil, ErrUnavailable }
func (p *Pool) Close()                                 {}

type Decoder struct{}

func NewDecoder(record []byte, l Limits) (*Decoder, error) { return nil, ErrUnavailable }
func (d *Decoder) Configure(record []byte) error           { return ErrUnavailable }
func (d *Decoder) Decode(unit []byte, pts, dts media.Time, emit func(*Frame) error) error {
	return ErrUnavailable
}
func (d *Decoder) Flush(emit func(*Frame) error) error { return ErrUnavailable }
func (d *Decoder) Close()                              {}

type EncoderOptions struct {
	Width, Height int
	FPS           float64
	Bitrate       int
	GOP           int
	Preset        string
	Display       Display
}

type Packet struct {
	PTS  media.Time
	IDR  bool
	Data []byte
}

type Encoder interface {
	Encode(f *Frame, pts media.Time, idr bool) (Packet, error)
	SetBitrate(bps int) error
	Record() []byte
	Close()
}

func NewEncoder(o EncoderOptions) (Encoder, error) { return nil, ErrUnavailable }
