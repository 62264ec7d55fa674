//go:build cgo

package av

/*
#include "av.h"
#cgo noescape hwav_decoder_open
#cgo nocallback hwav_decoder_open
#cgo noescape hwav_decoder_send
#cgo nocallback hwav_decoder_send
#cgo noescape hwav_decoder_drain
#cgo nocallback hwav_decoder_drain
#cgo noescape hwav_decoder_receive
#cgo nocallback hwav_decoder_receive
#cgo noescape hwav_decoder_restart
#cgo nocallback hwav_decoder_restart
#cgo noescape hwav_decoder_close
#cgo nocallback hwav_decoder_close
*/
import "C"

import (
	"bytes"
	"slices"

	"github.com/headwater-live/headwater/codec/media"
)

// Decoder decodes H.264 on one thread. A stream without B-frames comes out frame by frame in the
// call that brought it; with them, as late as they reorder and no later.
type Decoder struct {
	c       *C.hwav_decoder
	guard   guard
	shelf   shelf
	record  []byte // what libav has, or gets with the next unit
	pending bool   // record is still to be given to libav
}

// NewDecoder returns a decoder for the stream that an AVCDecoderConfigurationRecord describes, for
// pictures within l.
func NewDecoder(record []byte, l Limits) (*Decoder, error) {
	l = l.orDefault()
	d := &Decoder{guard: guard{limits: l}, record: slices.Clone(record)}
	if err := d.guard.record("NewDecoder", record); err != nil {
		return nil, err
	}
	code := C.hwav_decoder_open(&d.c, first[C.uint8_t](record), C.int(len(record)),
		C.int(l.Width+maxCrop), C.int(l.Height+maxCrop))
	if err := failed("avcodec_open2(h264)", code); err != nil {
		return nil, err
	}
	return d, nil
}

// Configure takes a new sequence header, of whatever size of picture, for the units that follow.
// The same one again changes nothing. After one that is refused, Decode returns the same error
// until an acceptable one comes.
func (d *Decoder) Configure(record []byte) error {
	const call = "Decoder.Configure"
	if d.c == nil {
		return refuse(ErrClosed, call, "decoder is closed")
	}
	if bytes.Equal(record, d.record) {
		d.guard.refused = nil
		return nil
	}
	if err := d.guard.record(call, record); err != nil {
		return err
	}
	d.record, d.pending = slices.Clone(record), true
	return nil
}

// Decode takes one access unit, NAL units with lengths as FLV has them, and hands each frame that
// is ready to emit, which takes over the reference. An error that wraps ErrInvalidData is of this
// unit alone, and frames may have come out nevertheless. emit's first error is returned; further
// frames of the same unit are then released.
func (d *Decoder) Decode(unit []byte, pts, dts media.Time, emit func(*Frame) error) error {
	const call = "Decoder.Decode"
	if d.c == nil {
		return refuse(ErrClosed, call, "decoder is closed")
	}
	if err := d.guard.unit(call, unit); err != nil {
		return err
	}
	var record []byte
	if d.pending {
		record, d.pending = d.record, false
	}
	code := C.hwav_decoder_send(d.c, first[C.uint8_t](unit), C.int(len(unit)),
		C.int64_t(pts), C.int64_t(dts), first[C.uint8_t](record), C.int(len(record)))
	return d.receive(failed("avcodec_send_packet(h264)", code), emit)
}

// Flush hands out the frames that wait to be reordered. After it the decoder begins anew: it puts
// out nothing before the next IDR picture.
func (d *Decoder) Flush(emit func(*Frame) error) error {
	if d.c == nil {
		return refuse(ErrClosed, "Decoder.Flush", "decoder is closed")
	}
	err := failed("avcodec_send_packet(h264)", C.hwav_decoder_drain(d.c))
	err = d.receive(err, emit)
	C.hwav_decoder_restart(d.c)
	return err
}

// maxReceived bounds what one unit can bring out: the reorder buffer, at most 16, twice.
const maxReceived = 64

// receive empties the decoder and returns the first error, err if there is one. It goes on after
// an error, since a decoder that is not emptied refuses the next unit.
func (d *Decoder) receive(err error, emit func(*Frame) error) error {
	taking := true
	for range maxReceived {
		f, e := d.shelf.empty()
		if e != nil {
			return either(err, e)
		}
		code := C.hwav_decoder_receive(d.c, f.c, &f.view)
		if code == 0 {
			f.Release()
			break
		}
		e = failed("avcodec_receive_frame(h264)", code)
		if e == nil {
			e = d.check(f)
		}
		if e != nil || !taking {
			f.Release()
		} else {
			f.pts = media.Time(f.view.pts)
			e = emit(f)
			taking = e == nil
		}
		err = either(err, e)
	}
	return err
}

// check holds a frame to what the parameter sets were held to.
func (d *Decoder) check(f *Frame) error {
	const call = "Decoder.Decode"
	if f.view.i420 == 0 {
		return refuse(ErrFormat, call, "picture is not 4:2:0 of 8 bits")
	}
	width, height := f.Size()
	return d.guard.limits.checkSize(call, width, height)
}

// Close frees the decoder. Frames that are held stay valid. Closing twice is safe.
func (d *Decoder) Close() {
	C.hwav_decoder_close(d.c)
	d.c = nil
	d.shelf.close()
}
