//go:build cgo

package av

/*
#cgo pkg-config: libavcodec libavutil libswresample
#cgo CFLAGS: -O2 -Wall
#include "av.h"
#cgo noescape hwav_reason
#cgo nocallback hwav_reason
#cgo nocallback hwav_live_codecs
#cgo nocallback hwav_live_frames
#cgo nocallback hwav_noop
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Available tells whether codecs are there: whether this was built with cgo.
const Available = true

// Version returns libavcodec's version and licence, for build information.
func Version() string {
	v := uint(C.hwav_version())
	return fmt.Sprintf("libavcodec %d.%d.%d (%s)", v>>16, v>>8&0xff, v&0xff,
		C.GoString(C.hwav_license()))
}

// Live returns the number of codecs that are open, and of frames whose C side is allocated, in use
// or waiting in a pool. Both are 0 once everything is closed and released.
func Live() (codecs, frames int) {
	return int(C.hwav_live_codecs()), int(C.hwav_live_frames())
}

// noop crosses into C and back: what every call costs.
func noop() { C.hwav_noop(0) }

// failed makes the error of a libav call, nil unless code is negative.
func failed(call string, code C.int) error {
	if code >= 0 {
		return nil
	}
	var text [128]byte
	C.hwav_reason(code, (*C.char)(unsafe.Pointer(&text[0])), C.int(len(text)))
	e := &Error{Call: call, Code: int(code), Reason: cString(text[:])}
	switch code {
	case C.AVERROR_INVALIDDATA:
		e.kind = ErrInvalidData
	case C.AVERROR_DECODER_NOT_FOUND, C.AVERROR_ENCODER_NOT_FOUND:
		e.kind = ErrUnavailable
	case -C.ENOMEM:
		e.kind = ErrMemory
	case -C.EINVAL:
		e.kind = ErrOption
	}
	return e
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// first is the address of a slice's first element as C's type, nil for an empty one.
func first[C, G any](s []G) *C { return (*C)(unsafe.Pointer(unsafe.SliceData(s))) }

// number is a C int of a bool.
func number(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
