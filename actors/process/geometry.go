package process

import (
	"math"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/halide"
)

// target is the size of a rendition's pictures: the shorter side is height, the other follows, both
// are even as 4:2:0 wants them. A picture is never enlarged; an odd last column or row is cut off.
func target(width, height, shorter int) (w, h int) {
	short, long := min(width, height), max(width, height)
	if shorter <= 0 || short <= shorter {
		return width &^ 1, height &^ 1
	}
	s := shorter &^ 1
	l := 2 * ((long*s + short) / (2 * short)) // to the nearest even number
	if width < height {
		return s, l
	}
	return l, s
}

// The strength of the effects follows the longer side of the picture, so that it is the same
// before and after a rotation: a cell, and the radius of a box or a Gaussian, is 1/32 of it. That
// is a line of large text: a letter is left with one cell or two, or with less than its own width.
// Small pictures have a lower bound, as their text is not smaller than a few pixels.
//
// A Gaussian's radius is bounded by its kernel. A larger picture gets two boxes of 1/44, one over
// the other, which are as smooth to the eye, blur more, and cost a third.
const (
	strength    = 32
	twice       = 44
	minStrength = 8
	maxBox      = 127
	maxGaussian = 31
	maxCell     = 256
)

// cell is the edge of a cell of a picture whose longer side is long: even.
func cell(long int) int { return min(max(long/strength, 2*minStrength)&^1, maxCell) }

// radius is that of a blur of 1/n.
func radius(long, n int) int { return min(max(long/n, minStrength), maxBox) }

// double tells whether a mode is a box over a box in a picture whose longer side is long.
func double(mode settings.Mode, long int) bool {
	return mode == settings.Gaussian && radius(long, strength) > maxGaussian
}

// maskLuma is the grey of what is covered: neither a dead screen nor a glaring one.
const (
	maskLuma   = 48
	maskChroma = 128
)

// effect is what a mode does in a picture whose longer side is long. A mode that is not known
// covers.
func effect(mode settings.Mode, long int) halide.Region {
	switch mode {
	case settings.Box:
		return halide.Region{Effect: halide.Box, Size: radius(long, strength)}
	case settings.Gaussian:
		if double(mode, long) {
			return halide.Region{Effect: halide.Box, Size: radius(long, twice)}
		}
		return halide.Region{Effect: halide.Gaussian, Size: radius(long, strength)}
	case settings.Pixelate:
		return halide.Region{Effect: halide.Pixelate, Size: cell(long)}
	case settings.Solid:
	}
	return halide.Region{Effect: halide.Solid, Luma: maskLuma, U: maskChroma, V: maskChroma}
}

// place maps a rectangle to the pixels of a picture, outwards: every pixel that it touches is in
// it. It reports false for what is no rectangle, which nobody can say where it would be.
func place(r settings.Rect, width, height int) (halide.Rect, bool) {
	x0, x1, okX := interval(r.X, r.W, width)
	y0, y1, okY := interval(r.Y, r.H, height)
	return halide.Rect{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}, okX && okY
}

// interval maps [at, at+size) to [from, to) in n pixels.
func interval(at, size float64, n int) (from, to int, ok bool) {
	end := at + size
	if math.IsNaN(end) || math.IsInf(at, 0) || math.IsInf(size, 0) || size < 0 {
		return 0, 0, false
	}
	a := math.Floor(min(max(at, 0), 1) * float64(n))
	b := math.Ceil(min(max(end, 0), 1) * float64(n))
	return int(a), int(b), true
}

// regions appends what an order wants blurred in a picture. It reports false when the order cannot
// be carried out as it is: then the whole picture has to be covered.
func regions(to []halide.Region, o *Order, width, height int) ([]halide.Region, bool) {
	if len(o.Regions) > settings.MaxRects {
		return to, false
	}
	region := effect(o.Mode, max(width, height))
	for _, r := range o.Regions {
		rect, ok := place(r, width, height)
		if !ok {
			return to, false
		}
		region.Rect = rect
		to = append(to, region)
	}
	return to, true
}
