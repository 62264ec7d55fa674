package halide

import (
	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// Thumbnail writes to dst the rounded mean of each cell of cell by cell pixels of src. cell is 4, 8
// or 16, and dst is the size of src divided by it, rounded down: what is left over at the right and
// the bottom is not looked at.
func Thumbnail(dst, src *Plane, cell int) error {
	const call = "Thumbnail"
	if err := checkPlane(call, "src", src); err != nil {
		return err
	}
	return thumbnail(call, dst, src, cell)
}

// Strip is Thumbnail of the height rows of src from top on.
func Strip(dst, src *Plane, top, height, cell int) error {
	const call = "Strip"
	if err := checkPlane(call, "src", src); err != nil {
		return err
	}
	if top < 0 || height < 1 || top > src.Height || height > src.Height-top {
		return wrong(call, "top", "rows %d+%d of %d", top, height, src.Height)
	}
	strip := src.Crop(0, top, src.Width, height)
	return thumbnail(call, dst, &strip, cell)
}

func thumbnail(call string, dst, src *Plane, cell int) error {
	if cell != 4 && cell != 8 && cell != 16 {
		return wrong(call, "cell", "%d is none of 4, 8, 16", cell)
	}
	if err := checkPlane(call, "dst", dst); err != nil {
		return err
	}
	if dst.Width != src.Width/cell || dst.Height != src.Height/cell {
		return wrong(call, "dst", "size %dx%d, cells of %d of %dx%d need %dx%d", dst.Width, dst.Height,
			cell, src.Width, src.Height, src.Width/cell, src.Height/cell)
	}
	if overlaps(dst, src) {
		return wrong(call, "dst", "overlaps src")
	}
	if tile := min(32, 256/cell); dst.Width < tile { // 32, and 16 for cells of 16
		reference.Thumbnail(dst, src, cell)
		return nil
	}
	enter()
	defer leave()
	return kernels.Thumbnail(dst, src, cell)
}
