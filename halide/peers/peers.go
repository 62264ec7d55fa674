//go:build peers && cgo

package peers

/*
#cgo CFLAGS: -O3 -march=native -ffast-math
#cgo CXXFLAGS: -O3 -march=native -I/usr/include/opencv4
#cgo LDFLAGS: -lyuv -lopencv_imgproc -lopencv_core -lavfilter -lavutil -lm -ljpeg
#include "peers.h"
*/
import "C"

import "unsafe"

// Plane is a plane of pixels.
type Plane struct {
	Pix                   []byte
	Stride, Width, Height int
}

func (p Plane) c() C.plane {
	return C.plane{
		p: (*C.uint8_t)(unsafe.SliceData(p.Pix)), stride: C.int(p.Stride),
		w: C.int(p.Width), h: C.int(p.Height),
	}
}

// The peers are given C memory, so that their arguments may hold pointers.

// New returns a plane in C memory, never freed: a benchmark's.
func New(w, h int) Plane {
	pix := unsafe.Slice((*byte)(C.malloc(C.size_t(w*h+64))), w*h)
	return Plane{Pix: pix, Stride: w, Width: w, Height: h}
}

// Copy is memcpy.
func Copy(dst, src Plane) { C.peer_copy(dst.c(), src.c()) }

// Level is the level of n samples in C.
func Level(p []int16, n int) float64 { return float64(C.c_level((*C.int16_t)(&p[0]), C.int(n))) }

// KWeighted is the recursion in C.
func KWeighted(coef []float64, p []float32, state []float64) float64 {
	return float64(C.c_k_weighted((*C.double)(&coef[0]), (*C.float)(&p[0]), C.int(len(p)),
		(*C.double)(&state[0])))
}

// What each peer does, of the kinds listed in peers.h.

// Plain runs plain C.
func Plain(kind int, out, in Plane, n int) { C.c_run(C.int(kind), out.c(), in.c(), C.int(n)) }

// Yuv runs libyuv.
func Yuv(kind int, out, in Plane, n int) { C.yuv_run(C.int(kind), out.c(), in.c(), C.int(n)) }

// OpenCV runs OpenCV with one thread.
func OpenCV(kind int, out, in Plane, n int) { C.cv_run(C.int(kind), out.c(), in.c(), C.int(n)) }

// Match runs OpenCV's or C's normalised correlation of a w by h template at ow by oh places.
func Match(cv bool, out []float32, in Plane, t Plane, t16, m16 []int16, ow, oh int) {
	if cv {
		C.cv_match((*C.float)(&out[0]), in.c(), t.c(), C.int(ow), C.int(oh))
		return
	}
	C.c_match((*C.float)(&out[0]), in.c(), (*C.int16_t)(&t16[0]), (*C.int16_t)(&m16[0]), t.c(),
		C.int(ow), C.int(oh))
}

// Filter is a libavfilter graph with one filter and one thread.
type Filter struct{ g *C.graph }

// NewFilter returns a graph for frames of w by h.
func NewFilter(description string, w, h int) Filter {
	return Filter{C.av_graph(C.CString(description), C.int(w), C.int(h))}
}

// Run puts the three planes through.
func (f Filter) Run(y, u, v Plane) { C.av_run(f.g, y.c(), u.c(), v.c()) }
