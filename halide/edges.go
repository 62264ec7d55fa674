package halide

import (
	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// Edges projects the gradients of src: rows[y] is the sum of |src(x, y+1) - src(x, y)|, which peaks
// where horizontal edges lie, and columns[x] that of |src(x+1, y) - src(x, y)|. The last of each is
// 0. Either may be nil; otherwise they have an element for each row and column. The sums are exact.
func Edges(src *Plane, rows, columns []uint32) error {
	const call = "Edges"
	if err := checkPlane(call, "src", src); err != nil {
		return err
	}
	if err := checkSums(call, src, rows, columns); err != nil {
		return err
	}
	if src.Width <= kernels.Tile+1 || src.Height < 2 {
		reference.Edges(src, rows, columns)
		return nil
	}
	enter()
	defer leave()
	return kernels.Edges(src, rows, columns)
}
