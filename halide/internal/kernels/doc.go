// Package kernels calls the ahead-of-time compiled Halide kernels, or, where there is no cgo or no
// kernel object for the platform, the plain Go versions behind the same functions. Its callers have
// checked every argument: package halide is the only one. The kernel objects (*.syso) and
// zz_*.{h,go} come from make generate; HalideRuntime.h is Halide's own header (MIT licence).
package kernels

import "github.com/headwater-live/headwater/halide/reference"

// Tile is the narrowest plane that most kernels take, in pixels.
const Tile = 64

// Region is a clipped region as the kernels read it.
type Region struct {
	X, Y, W, H, Effect, Size, Luma, U, V int32
}

// The kinds of scaling, in the order of the C side.
const (
	Half int32 = iota
	Phase32
	Phase43
	Third
	General
)

// Scaling is a prepared scaling of a frame. Ints and Weights hold, for luma and then for chroma,
// the first taps and the weights of columns and rows, as the general kernel reads them; Phases
// holds the two weights of each luma column of a fixed ratio.
type Scaling struct {
	Kind    int32
	Taps    int
	Ints    []int32
	Weights []int16
	Phases  []uint8
	Tables  [4]reference.Tables // luma x, luma y, chroma x, chroma y
}

// The ratios of the fixed kinds.
var ratios = [...]struct{ num, den int }{{2, 1}, {3, 2}, {4, 3}, {3, 1}}

// PlainScale scales a frame in plain Go.
func PlainScale(s *Scaling, dst, src *reference.Frame) {
	in, out := src.Planes(), dst.Planes()
	for p := range in {
		if s.Kind == General {
			t := s.Tables[2*min(p, 1):]
			reference.ScaleTables(out[p], in[p], &t[0], &t[1])
			continue
		}
		if s.Kind == Phase43 {
			reference.ScaleQuarters(out[p], in[p])
			continue
		}
		reference.ScaleFixed(out[p], in[p], ratios[s.Kind].num, ratios[s.Kind].den)
	}
}
