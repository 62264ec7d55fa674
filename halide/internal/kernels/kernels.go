//go:build cgo && linux && (amd64 || arm64)

package kernels

/*
#cgo CFLAGS: -O2 -Wall
#cgo LDFLAGS: -lm
#include "shim.h"
#include "zz_kernels.h"
#cgo noescape hw_level
#cgo nocallback hw_level
#cgo noescape hw_level_s16
#cgo nocallback hw_level_s16
#cgo noescape hw_level_f32
#cgo nocallback hw_level_f32
#cgo noescape hw_k_weighted
#cgo nocallback hw_k_weighted
#cgo noescape hw_blur
#cgo nocallback hw_blur
#cgo noescape hw_scale
#cgo nocallback hw_scale
#cgo noescape hw_thumbnail
#cgo nocallback hw_thumbnail
#cgo noescape hw_diff
#cgo nocallback hw_diff
#cgo noescape hw_edges
#cgo nocallback hw_edges
#cgo noescape hw_match
#cgo nocallback hw_match
#cgo noescape hw_squared_error
#cgo nocallback hw_squared_error
#cgo noescape hw_noop
#cgo nocallback hw_noop
*/
import "C"

import (
	"bytes"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/headwater-live/headwater/halide/reference"
)

// Native tells whether compiled kernels serve.
const Native = true

// Level is the x86-64 level that the kernels run at, 1 to 4, or 0 on other architectures.
func Level() int { return int(C.hw_level()) }

// Digest is the SHA-256 of the kernel object that this build was generated with.
func Digest() string {
	if runtime.GOARCH == "arm64" {
		return digestArm64
	}
	return digestAmd64
}

// Noop crosses into C and back: what every call costs.
func Noop() { C.hw_noop() }

// text receives the words of an error.
type text [C.HW_ERROR]C.char

func (t *text) error(kernel string, code C.int) error {
	if code == 0 {
		return nil
	}
	words := unsafe.Slice((*byte)(unsafe.Pointer(t)), len(t))
	end := max(0, bytes.IndexByte(words, 0))
	return fmt.Errorf("halide kernel %s: code %d: %s", kernel, int(code), string(words[:end]))
}

// first is the address of a slice's first element, nil for an empty one.
func first[C, G any](s []G) *C { return (*C)(unsafe.Pointer(unsafe.SliceData(s))) }

func u8(p *reference.Plane) *C.uint8_t { return first[C.uint8_t](p.Pix) }
func i32(n int) C.int32_t              { return C.int32_t(n) }

func flag(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

// LevelS16 measures n samples of one or two channels.
func LevelS16(l, r []int16, n, step int, out *[2]reference.Meter) error {
	var t text
	code := C.hw_level_s16(first[C.int16_t](l), first[C.int16_t](r), i32(n), i32(step),
		(*C.hw_meter)(unsafe.Pointer(out)), &t[0])
	return t.error("level", code)
}

// LevelF32 measures n samples of one or two channels.
func LevelF32(l, r []float32, n, step int, out *[2]reference.Meter) error {
	var t text
	code := C.hw_level_f32(first[C.float](l), first[C.float](r), i32(n), i32(step),
		(*C.hw_meter)(unsafe.Pointer(out)), &t[0])
	return t.error("level", code)
}

// KWeightedF32 returns the K-weighted energy of n samples of one channel.
func KWeightedF32(f *reference.KFilter, power, reply []float64, p []float32, n, step int,
	state *reference.KState,
) (float64, error) {
	var t text
	var energy C.double
	code := C.hw_k_weighted(first[C.float](p), nil, i32(n), i32(step), first[C.double](f[:]),
		first[C.double](power), first[C.double](reply), first[C.double](state[:]), &energy, &t[0])
	return float64(energy), t.error("k_weighted", code)
}

// KWeightedS16 returns the K-weighted energy of n samples of one channel.
func KWeightedS16(f *reference.KFilter, power, reply []float64, p []int16, n, step int,
	state *reference.KState,
) (float64, error) {
	var t text
	var energy C.double
	code := C.hw_k_weighted(nil, first[C.int16_t](p), i32(n), i32(step), first[C.double](f[:]),
		first[C.double](power), first[C.double](reply), first[C.double](state[:]), &energy, &t[0])
	return float64(energy), t.error("k_weighted", code)
}

// Blur applies regions; strip is the number of rows done at a time, 0 to follow the cache's size.
func Blur(dst, src *reference.Frame, regions []Region, taps []byte, rest bool, strip int) error {
	var t text
	code := C.hw_blur(
		u8(&src.Y), i32(src.Y.Stride), u8(&src.U), i32(src.U.Stride), u8(&src.V), i32(src.V.Stride),
		u8(&dst.Y), i32(dst.Y.Stride), u8(&dst.U), i32(dst.U.Stride), u8(&dst.V), i32(dst.V.Stride),
		i32(src.Y.Width), i32(src.Y.Height), first[C.hw_region](regions), i32(len(regions)),
		first[C.uint8_t](taps), flag(rest), i32(strip), &t[0])
	return t.error("blur", code)
}

// Scale scales a frame whose planes are at least a tile wide.
func Scale(s *Scaling, dst, src *reference.Frame) error {
	var t text
	a, b := src, dst
	code := C.hw_scale(C.int32_t(s.Kind),
		u8(&a.Y), i32(a.Y.Stride), i32(a.Y.Width), i32(a.Y.Height),
		u8(&a.U), i32(a.U.Stride), i32(a.U.Width), i32(a.U.Height),
		u8(&a.V), i32(a.V.Stride), i32(a.V.Width), i32(a.V.Height),
		u8(&b.Y), i32(b.Y.Stride), i32(b.Y.Width), i32(b.Y.Height),
		u8(&b.U), i32(b.U.Stride), i32(b.U.Width), i32(b.U.Height),
		u8(&b.V), i32(b.V.Stride), i32(b.V.Width), i32(b.V.Height),
		i32(s.Taps), first[C.int32_t](s.Ints), first[C.int16_t](s.Weights),
		first[C.uint8_t](s.Phases), &t[0])
	return t.error("scale", code)
}

// Thumbnail writes the means of cells of 4, 8 or 16 pixels; out is at least 32 wide (16 for 16).
func Thumbnail(out, in *reference.Plane, cell int) error {
	var t text
	code := C.hw_thumbnail(i32(cell), u8(in), i32(in.Stride), i32(in.Width), i32(in.Height),
		u8(out), i32(out.Stride), i32(out.Width), i32(out.Height), &t[0])
	return t.error("thumbnail", code)
}

// Diff compares two planes; totals receives the sums of |a-b| and of a.
func Diff(a, b *reference.Plane, rows, columns []uint32, totals *[2]uint64) error {
	var t text
	code := C.hw_diff(u8(a), i32(a.Stride), i32(a.Width), i32(a.Height), u8(b), i32(b.Stride),
		first[C.uint32_t](rows), first[C.uint32_t](columns), first[C.uint64_t](totals[:]), &t[0])
	return t.error("diff", code)
}

// Edges projects gradients; in is wider than a tile.
func Edges(in *reference.Plane, rows, columns []uint32) error {
	var t text
	code := C.hw_edges(u8(in), i32(in.Stride), i32(in.Width), i32(in.Height),
		first[C.uint32_t](rows), first[C.uint32_t](columns), &t[0])
	return t.error("edges", code)
}

// SquaredError returns the sum of squared differences.
func SquaredError(a, b *reference.Plane) (uint64, error) {
	var t text
	var sum C.uint64_t
	code := C.hw_squared_error(u8(a), i32(a.Stride), i32(a.Width), i32(a.Height), u8(b),
		i32(b.Stride), &sum, &t[0])
	return uint64(sum), t.error("squared_error", code)
}

// Match correlates t at w by h places of in; t has pixels under its mask and contrast.
func Match(out []float32, in *reference.Plane, t *reference.Template, w, h int) error {
	var words text
	code := C.hw_match(u8(in), i32(in.Stride), first[C.int16_t](t.Pixels),
		first[C.int16_t](t.Mask), i32(t.Padded), i32(t.Width), i32(t.Height), C.double(t.Count),
		C.double(t.Energy), C.double(t.Bias), first[C.float](out), i32(w), i32(h), &words[0])
	return words.error("match", code)
}
