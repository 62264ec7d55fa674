package halide

import (
	"unsafe"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// Difference is how one plane differs from another.
type Difference struct {
	SAD    uint64 // sum of |a-b|
	Sum    uint64 // sum of a
	Pixels int
}

// Mean returns the mean of a, 0 to 255.
func (d Difference) Mean() float64 { return float64(d.Sum) / float64(d.Pixels) }

// MAD returns the mean of |a-b|, 0 to 255.
func (d Difference) MAD() float64 { return float64(d.SAD) / float64(d.Pixels) }

// Diff compares a with b, of the same size, and sums |a-b| by row and by column. rows and columns
// may be nil; otherwise they have an element for each row and column of a. Everything is exact.
func Diff(a, b *Plane, rows, columns []uint32) (Difference, error) {
	const call = "Diff"
	var d Difference
	if err := checkPlane(call, "a", a); err != nil {
		return d, err
	}
	if err := checkPlane(call, "b", b); err != nil {
		return d, err
	}
	if err := sameSize(call, "b", b, a); err != nil {
		return d, err
	}
	if err := checkSums(call, a, rows, columns); err != nil {
		return d, err
	}
	d.Pixels = a.Width * a.Height
	if a.Width <= kernels.Tile {
		d.SAD, d.Sum = reference.Diff(a, b, rows, columns)
		return d, nil
	}
	var totals [2]uint64
	enter()
	defer leave()
	err := kernels.Diff(a, b, rows, columns, &totals)
	d.SAD, d.Sum = totals[0], totals[1]
	return d, err
}

// checkSums refuses projections of another length than the plane's, or in the same memory.
func checkSums(call string, p *Plane, rows, columns []uint32) error {
	if rows != nil && len(rows) != p.Height {
		return wrong(call, "rows", "%d elements for %d rows", len(rows), p.Height)
	}
	if columns != nil && len(columns) != p.Width {
		return wrong(call, "columns", "%d elements for %d columns", len(columns), p.Width)
	}
	if len(rows) > 0 && len(columns) > 0 {
		a, b := uintptr(unsafe.Pointer(&rows[0])), uintptr(unsafe.Pointer(&columns[0]))
		const size = unsafe.Sizeof(rows[0])
		if a < b+size*uintptr(len(columns)) && b < a+size*uintptr(len(rows)) {
			return wrong(call, "columns", "overlap rows")
		}
	}
	return nil
}

// Scene finds cuts in a sequence of differences between neighbouring pictures. The zero value is
// ready. It is not safe for concurrent use.
type Scene struct {
	last float64
}

// Next takes the MAD of the next picture and returns its score, 0 to 255: the smaller of the MAD
// and of its change since the last one, so that steady motion scores low and a cut high. Above
// about 13 (5 % of full scale) it is usually a cut.
func (s *Scene) Next(mad float64) float64 {
	score := min(mad, max(mad-s.last, s.last-mad))
	s.last = mad
	return score
}
