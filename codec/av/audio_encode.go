//go:build cgo

package av

/*
#include "av.h"
#include <stdlib.h>
#cgo noescape hwav_audio_open
#cgo nocallback hwav_audio_open
#cgo noescape hwav_audio_fill
#cgo nocallback hwav_audio_fill
#cgo noescape hwav_audio_send
#cgo nocallback hwav_audio_send
#cgo noescape hwav_audio_receive
#cgo nocallback hwav_audio_receive
#cgo noescape hwav_audio_config
#cgo nocallback hwav_audio_config
#cgo noescape hwav_audio_frame
#cgo nocallback hwav_audio_frame
#cgo noescape hwav_audio_priming
#cgo nocallback hwav_audio_priming
#cgo noescape hwav_audio_close
#cgo nocallback hwav_audio_close
*/
import "C"

import (
	"unsafe"

	"github.com/headwater-live/headwater/codec/media"
)

// AACEncoder encodes AAC-LC.
type AACEncoder struct{ audioEncoder }

// OpusEncoder encodes Opus in packets of 20 ms.
type OpusEncoder struct{ audioEncoder }

// NewAACEncoder returns an encoder of one or two channels; bitrate is in bits/s.
func NewAACEncoder(rate, channels, bitrate int) (*AACEncoder, error) {
	e := &AACEncoder{}
	return opened(e, e.open("NewAACEncoder", "aac", rate, channels, bitrate))
}

// NewOpusEncoder returns an encoder of one or two channels at 48000, 24000, 16000, 12000 or
// 8000 Hz; bitrate is in bits/s.
func NewOpusEncoder(rate, channels, bitrate int) (*OpusEncoder, error) {
	e := &OpusEncoder{}
	return opened(e, e.open("NewOpusEncoder", "libopus", rate, channels, bitrate))
}

func opened[E any](e *E, err error) (*E, error) {
	if err != nil {
		return nil, err
	}
	return e, nil
}

// audioEncoder gathers samples into packets.
type audioEncoder struct {
	c              *C.hwav_audio
	packet         C.hwav_packet
	length         C.int32_t
	rate, channels int
	frame, priming int // in samples
	config         []byte
	given          int64      // samples that were given in earlier calls
	due            media.Time // when sample number given is due
	ended          bool
}

// The bounds of an audio encoder's bit rate, in bits/s.
const (
	minAudioBitrate = 6_000
	maxAudioBitrate = 1_000_000
)

func (e *audioEncoder) open(call, codec string, rate, channels, bitrate int) error {
	if err := checkSound(call, rate, channels); err != nil {
		return err
	}
	if bitrate < minAudioBitrate || bitrate > maxAudioBitrate {
		return refuse(ErrOption, call, "%d bits/s, want %d to %d",
			bitrate, minAudioBitrate, maxAudioBitrate)
	}
	name := C.CString(codec)
	defer C.free(unsafe.Pointer(name))
	code := C.hwav_audio_open(&e.c, name, C.int(rate), C.int(channels), C.int(bitrate))
	if err := failed("avcodec_open2("+codec+")", code); err != nil {
		return err
	}
	e.rate, e.channels = rate, channels
	e.frame, e.priming = int(C.hwav_audio_frame(e.c)), int(C.hwav_audio_priming(e.c))
	var data *C.uint8_t
	n := C.hwav_audio_config(e.c, &data)
	e.config = C.GoBytes(unsafe.Pointer(data), n)
	return nil
}

// Config is the AudioSpecificConfig, or Opus's identification header (RFC 7845, 5.1). Do not write
// to it.
func (e *audioEncoder) Config() []byte { return e.config }

// FrameLength is the number of samples in a packet.
func (e *audioEncoder) FrameLength() int { return e.frame }

// Priming is the number of samples that a decoder puts out before the first that was given.
func (e *audioEncoder) Priming() int { return e.priming }

// Encode takes samples of the encoder's rate and channels, of which the first is due at pts, and
// hands emit the packets that they complete.
func (e *audioEncoder) Encode(s Samples, pts media.Time, emit func(AudioPacket) error) error {
	const call = "Encode"
	if e.c == nil || e.ended {
		return refuse(ErrClosed, call, "encoder is closed")
	}
	if err := s.check(call, e.rate, e.channels); err != nil {
		return err
	}
	e.due = pts
	for done := 0; done < s.Length; {
		var planes [2]*C.float
		for i := range e.channels {
			planes[i] = first[C.float](s.Planes[i][done:s.Length])
		}
		n := C.hwav_audio_fill(e.c, planes[0], planes[1], C.int(s.Length-done))
		if err := failed("av_frame_make_writable", n); err != nil {
			return err
		}
		done += int(n)
		if int(n) < 1 || (int64(done)+e.given)%int64(e.frame) != 0 {
			continue
		}
		if err := e.send(false, emit); err != nil {
			return err
		}
	}
	e.given += int64(s.Length)
	e.due += e.span(int64(s.Length))
	return nil
}

// Flush hands out the rest, after which the encoder takes no more.
func (e *audioEncoder) Flush(emit func(AudioPacket) error) error {
	if e.c == nil || e.ended {
		return refuse(ErrClosed, "Flush", "encoder is closed")
	}
	e.ended = true
	return e.send(true, emit)
}

// span is the duration of n samples.
func (e *audioEncoder) span(n int64) media.Time {
	return media.Time(n * int64(media.Second) / int64(e.rate))
}

// send encodes what has gathered and hands out what comes.
func (e *audioEncoder) send(last bool, emit func(AudioPacket) error) error {
	err := failed("avcodec_send_frame", C.hwav_audio_send(e.c, number(last)))
	for range maxReceived {
		code := C.hwav_audio_receive(e.c, &e.packet, &e.length)
		if code == 0 {
			break
		}
		e2 := failed("avcodec_receive_packet", code)
		if err == nil && e2 == nil {
			p := &e.packet
			e2 = emit(AudioPacket{
				PTS:    e.due + e.span(int64(p.pts)-e.given),
				Length: int(e.length),
				Data:   unsafe.Slice((*byte)(p.data), int(p.size)),
			})
		}
		err = either(err, e2)
	}
	return err
}

// Close frees the encoder. Closing twice is safe.
func (e *audioEncoder) Close() {
	C.hwav_audio_close(e.c)
	e.c = nil
}
