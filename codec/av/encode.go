//go:build cgo

package av

/*
#include "av.h"
#include <stdlib.h>
#cgo noescape hwav_encoder_open
#cgo nocallback hwav_encoder_open
#cgo noescape hwav_encode
#cgo nocallback hwav_encode
#cgo noescape hwav_encoder_bitrate
#cgo nocallback hwav_encoder_bitrate
#cgo noescape hwav_encoder_headers
#cgo nocallback hwav_encoder_headers
#cgo noescape hwav_encoder_close
#cgo nocallback hwav_encoder_close
*/
import "C"

import (
	"math"
	"unsafe"

	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/media"
)

// encoder is the Encoder by the library that this was built with.
type encoder struct {
	c             *C.hwav_encoder
	packet        C.hwav_packet
	number        int64 // of frames that were encoded
	width, height int
	record        []byte
}

// NewEncoder returns an H.264 encoder without delay: each frame's packet comes out of its call.
func NewEncoder(o EncoderOptions) (Encoder, error) {
	o, err := o.check("NewEncoder")
	if err != nil {
		return nil, err
	}
	preset := C.CString(o.Preset)
	defer C.free(unsafe.Pointer(preset))
	num, den := rational(o.FPS)
	v := C.hwav_video{
		width: C.int32_t(o.Width), height: C.int32_t(o.Height), fps_num: num, fps_den: den,
		bitrate: C.int32_t(o.Bitrate), gop: C.int32_t(o.GOP),
		display: C.hwav_display{
			full:      number(o.Display.Full),
			primaries: C.int32_t(o.Display.Primaries), transfer: C.int32_t(o.Display.Transfer),
			matrix:       C.int32_t(o.Display.Matrix),
			aspect_width: C.int32_t(o.Display.AspectWidth), aspect_height: C.int32_t(o.Display.AspectHeight),
		},
	}
	e := &encoder{width: o.Width, height: o.Height}
	if err := failed(openCall, C.hwav_encoder_open(&e.c, &v, preset)); err != nil {
		return nil, err
	}
	if err := e.readRecord(); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// rational is a rate as a fraction: whole, broadcasting's N*1000/1001, or else in thousandths.
func rational(fps float64) (num, den C.int32_t) {
	if whole := math.Round(fps); math.Abs(fps-whole) < 1e-3 {
		return C.int32_t(whole), 1
	}
	if whole := math.Round(fps * 1.001); math.Abs(fps-whole/1.001) < 1e-3 {
		return C.int32_t(whole * 1000), 1001
	}
	return C.int32_t(math.Round(fps * 1000)), 1000
}

// readRecord makes the record of the parameter sets, which come with lengths in front.
func (e *encoder) readRecord() error {
	const call = "NewEncoder"
	var data *C.uint8_t
	n := C.hwav_encoder_headers(e.c, &data)
	var sps, pps []byte
	c := avc.NALUs(C.GoBytes(unsafe.Pointer(data), n), 4)
	for c.Next() {
		switch avc.Type(c.NALU()) {
		case avc.NALSPS:
			sps = c.NALU()
		case avc.NALPPS:
			pps = c.NALU()
		}
	}
	config, err := avc.NewConfig(sps, pps)
	if err != nil {
		return refuse(ErrInvalidData, call, "the encoder's parameter sets: %v", err)
	}
	if e.record, err = config.Marshal(); err != nil {
		return refuse(ErrInvalidData, call, "the encoder's parameter sets: %v", err)
	}
	return nil
}

func (e *encoder) Encode(f *Frame, pts media.Time, idr bool) (Packet, error) {
	const call = "Encoder.Encode"
	if e.c == nil {
		return Packet{}, refuse(ErrClosed, call, "encoder is closed")
	}
	// libx264 does not look at a frame's height, and reads outside of a lower one.
	if w, h := f.Size(); w != e.width || h != e.height {
		return Packet{}, refuse(ErrFormat, call, "frame of %dx%d, want %dx%d", w, h, e.width, e.height)
	}
	code := C.hwav_encode(e.c, f.c, C.int64_t(e.number), number(idr), &e.packet)
	if err := failed(encodeCall, code); err != nil {
		return Packet{}, err
	}
	p := &e.packet
	if int64(p.pts) != e.number {
		return Packet{}, refuse(ErrInvalidData, call, "frame %d came out, want %d",
			int64(p.pts), e.number)
	}
	data := unsafe.Slice((*byte)(p.data), int(p.size))
	if e.number == 0 {
		data = withoutSEI(data)
	}
	e.number++
	return Packet{PTS: pts, IDR: p.idr != 0, Data: data}, nil
}

// withoutSEI drops what libavcodec puts in front of the first packet, x264's version, which is in
// the packet once more behind the parameter sets. They come first.
func withoutSEI(data []byte) []byte {
	c := avc.NALUs(data, 4)
	if c.Next() && avc.Type(c.NALU()) == avc.NALSEI {
		return data[4+len(c.NALU()):]
	}
	return data
}

func (e *encoder) SetBitrate(bps int) error {
	const call = "Encoder.SetBitrate"
	if e.c == nil {
		return refuse(ErrClosed, call, "encoder is closed")
	}
	if err := checkBitrate(call, bps); err != nil {
		return err
	}
	C.hwav_encoder_bitrate(e.c, C.int32_t(bps))
	return nil
}

func (e *encoder) Record() []byte { return e.record }

func (e *encoder) Close() {
	C.hwav_encoder_close(e.c)
	e.c = nil
}
