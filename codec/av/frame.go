//go:build cgo

package av

/*
#include "av.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	"github.com/headwater-live/headwater/codec/media"
)

// Frame is a picture of 8 bit I420 in C memory. It is a counted reference: whoever is handed one
// releases it once, and retains it first to keep it beyond. A decoder's frame is its reference for
// later pictures too, so it is never written to; a Pool's is for writing.
type Frame struct {
	c    *C.hwav_frame
	view C.hwav_view
	pts  media.Time
	refs atomic.Int32
	home *shelf
}

// Size returns the size in pixels.
func (f *Frame) Size() (width, height int) { return int(f.view.width), int(f.view.height) }

// PTS returns the presentation time.
func (f *Frame) PTS() media.Time { return f.pts }

// SetPTS sets the presentation time. The frame must not be shared yet.
func (f *Frame) SetPTS(pts media.Time) { f.pts = pts }

// Plane returns the rows of plane i, 0 for Y, 1 for U, 2 for V, which begin stride bytes apart. The
// planes of U and V are half as wide and high, rounded up. pix is C memory, valid as long as the
// frame is held.
func (f *Frame) Plane(i int) (pix []byte, stride int) {
	width, height := f.Size()
	if i > 0 {
		width, height = (width+1)/2, (height+1)/2
	}
	stride = int(f.view.stride[i])
	return unsafe.Slice((*byte)(f.view.plane[i]), stride*(height-1)+width), stride
}

// Corrupt tells that the decoder concealed damage in this picture.
func (f *Frame) Corrupt() bool { return f.view.corrupt != 0 }

// Display tells how the stream asks for the picture to be shown.
func (f *Frame) Display() Display {
	d := &f.view.display
	return Display{
		Full:      d.full != 0,
		Primaries: uint8(d.primaries), Transfer: uint8(d.transfer), Matrix: uint8(d.matrix),
		AspectWidth: uint16(d.aspect_width), AspectHeight: uint16(d.aspect_height),
	}
}

// Retain adds a reference, to be released like the first, and returns f.
func (f *Frame) Retain() *Frame {
	if f.refs.Add(1) < 2 {
		f.refs.Add(-1) // it stays released, for whoever recovers
		panic("av: Retain of a frame that was released")
	}
	return f
}

// Release gives a reference back. With the last one the memory goes back to where it came from, and
// f must not be used again.
func (f *Frame) Release() {
	switch n := f.refs.Add(-1); {
	case n == 0:
		f.home.put(f)
	case n < 0:
		f.refs.Add(1)
		panic("av: Release of a frame that was released")
	}
}
