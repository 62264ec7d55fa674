//go:build cgo

package av

/*
#include "av.h"
#cgo noescape hwav_aac_open
#cgo nocallback hwav_aac_open
#cgo noescape hwav_aac_receive
#cgo nocallback hwav_aac_receive
#cgo noescape hwav_decoder_send
#cgo nocallback hwav_decoder_send
#cgo noescape hwav_decoder_close
#cgo nocallback hwav_decoder_close
*/
import "C"

import (
	"bytes"
	"slices"
	"unsafe"

	"github.com/headwater-live/headwater/codec/aac"
)

// AACDecoder decodes AAC-LC and HE-AAC.
type AACDecoder struct {
	c       *C.hwav_decoder
	out     C.hwav_samples
	config  []byte
	pending bool // config is still to be given to libav
}

// NewAACDecoder returns a decoder for the stream that an AudioSpecificConfig describes.
func NewAACDecoder(config []byte) (*AACDecoder, error) {
	if err := checkAAC("NewAACDecoder", config); err != nil {
		return nil, err
	}
	d := &AACDecoder{config: slices.Clone(config)}
	code := C.hwav_aac_open(&d.c, first[C.uint8_t](config), C.int(len(config)))
	if err := failed("avcodec_open2(aac)", code); err != nil {
		return nil, err
	}
	return d, nil
}

func checkAAC(call string, config []byte) error {
	if _, err := aac.ParseConfig(config); err != nil {
		return refuse(ErrInvalidData, call, "%v", err)
	}
	return nil
}

// Configure takes a new sequence header for the units that follow. The same one again changes
// nothing; one that is refused does neither.
func (d *AACDecoder) Configure(config []byte) error {
	const call = "AACDecoder.Configure"
	if d.c == nil {
		return refuse(ErrClosed, call, "decoder is closed")
	}
	if err := checkAAC(call, config); err != nil {
		return err
	}
	if !bytes.Equal(config, d.config) {
		d.config, d.pending = slices.Clone(config), true
	}
	return nil
}

// Decode takes one access unit and hands its samples to emit: 1024 or 960 of each channel, twice as
// many with HE-AAC. Rate and Channels are the bitstream's, which may be more than the configuration
// told. An error that wraps ErrInvalidData is of this unit alone.
func (d *AACDecoder) Decode(unit []byte, emit func(Samples) error) error {
	const call = "AACDecoder.Decode"
	switch {
	case d.c == nil:
		return refuse(ErrClosed, call, "decoder is closed")
	case len(unit) == 0 || len(unit) > maxUnit:
		return refuse(ErrInvalidData, call, "unit of %d bytes", len(unit))
	}
	var config []byte
	if d.pending {
		config, d.pending = d.config, false
	}
	code := C.hwav_decoder_send(d.c, first[C.uint8_t](unit), C.int(len(unit)), 0, 0,
		first[C.uint8_t](config), C.int(len(config)))
	err := failed("avcodec_send_packet(aac)", code)
	for range maxReceived {
		code = C.hwav_aac_receive(d.c, &d.out)
		if code == 0 {
			break
		}
		e := failed("avcodec_receive_frame(aac)", code)
		if err == nil && e == nil {
			e = emit(lent(&d.out))
		}
		err = either(err, e)
	}
	return err
}

// lent makes Samples of C memory.
func lent(c *C.hwav_samples) Samples {
	s := Samples{Rate: int(c.rate), Channels: int(c.channels), Length: int(c.length)}
	for i, p := range c.plane {
		if p != nil {
			s.Planes[i] = unsafe.Slice((*float32)(p), s.Length)
		}
	}
	return s
}

// Close frees the decoder. Closing twice is safe.
func (d *AACDecoder) Close() {
	C.hwav_decoder_close(d.c)
	d.c = nil
}
