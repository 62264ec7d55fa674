package halide

import (
	"fmt"
	"unsafe"

	"github.com/headwater-live/headwater/halide/reference"
)

// MaxExtent is the largest width, height and stride, in pixels.
const MaxExtent = 16384

// Plane is a view of 8 bit pixels.
type Plane = reference.Plane

// Frame is an I420 picture.
type Frame = reference.Frame

// Rect is a rectangle of luma pixels.
type Rect = reference.Rect

// NewPlane returns a plane with memory of its own.
func NewPlane(width, height int) Plane { return reference.NewPlane(width, height) }

// NewFrame returns an I420 frame with memory of its own.
func NewFrame(width, height int) Frame { return reference.NewFrame(width, height) }

// ArgumentError tells which argument of a call was wrong, and why.
type ArgumentError struct {
	Call, Argument, Reason string
}

// Error returns the call, the argument and the reason.
func (e *ArgumentError) Error() string {
	return "halide: " + e.Call + ": " + e.Argument + ": " + e.Reason
}

// wrong is an ArgumentError with a formatted reason.
func wrong(call, argument, format string, values ...any) error {
	return &ArgumentError{Call: call, Argument: argument, Reason: fmt.Sprintf(format, values...)}
}

// checkPlane refuses a plane that a kernel could read or write outside its memory.
func checkPlane(call, name string, p *Plane) error {
	switch {
	case p == nil:
		return wrong(call, name, "nil")
	case p.Width < 1 || p.Width > MaxExtent || p.Height < 1 || p.Height > MaxExtent:
		return wrong(call, name, "size %dx%d outside 1x1 to %dx%d",
			p.Width, p.Height, MaxExtent, MaxExtent)
	case p.Stride < p.Width || p.Stride > 4*MaxExtent:
		return wrong(call, name, "stride %d for width %d", p.Stride, p.Width)
	case len(p.Pix) < p.Stride*(p.Height-1)+p.Width:
		return wrong(call, name, "%d bytes, %dx%d at stride %d needs %d", len(p.Pix), p.Width, p.Height,
			p.Stride, p.Stride*(p.Height-1)+p.Width)
	}
	return nil
}

// Names of the planes in errors, made once so that no call joins strings.
var planeNames = map[string][3]string{
	"dst": {"dst.Y", "dst.U", "dst.V"},
	"src": {"src.Y", "src.U", "src.V"},
	"a":   {"a.Y", "a.U", "a.V"},
	"b":   {"b.Y", "b.U", "b.V"},
}

// checkFrame refuses a frame whose planes do not fit each other.
func checkFrame(call, name string, f *Frame) error {
	if f == nil {
		return wrong(call, name, "nil")
	}
	names := planeNames[name]
	planes := f.Planes()
	for i, p := range planes {
		if err := checkPlane(call, names[i], p); err != nil {
			return err
		}
		if w, h := (f.Y.Width+1)/2, (f.Y.Height+1)/2; i > 0 && (p.Width != w || p.Height != h) {
			return wrong(call, names[i], "size %dx%d, luma of %dx%d needs %dx%d", p.Width, p.Height,
				f.Y.Width, f.Y.Height, w, h)
		}
	}
	return nil
}

// overlaps tells whether two planes share memory, taking each as one run from its first to its last
// byte.
func overlaps(p, q *Plane) bool {
	pn := uintptr(p.Stride*(p.Height-1) + p.Width)
	qn := uintptr(q.Stride*(q.Height-1) + q.Width)
	a := uintptr(unsafe.Pointer(unsafe.SliceData(p.Pix)))
	b := uintptr(unsafe.Pointer(unsafe.SliceData(q.Pix)))
	return a < b+qn && b < a+pn
}

// checkApart refuses a destination that shares memory with the source or with itself.
func checkApart(call string, dst, src *Frame) error {
	s, d := src.Planes(), dst.Planes()
	for i, p := range d {
		for _, q := range s {
			if overlaps(p, q) {
				return wrong(call, planeNames["dst"][i], "overlaps src")
			}
		}
		for _, q := range d[:i] {
			if overlaps(p, q) {
				return wrong(call, planeNames["dst"][i], "overlaps another plane of dst")
			}
		}
	}
	return nil
}

// sameSize refuses planes of different sizes.
func sameSize(call, name string, p, q *Plane) error {
	if p.Width != q.Width || p.Height != q.Height {
		return wrong(call, name, "size %dx%d, the other is %dx%d", p.Width, p.Height, q.Width, q.Height)
	}
	return nil
}
