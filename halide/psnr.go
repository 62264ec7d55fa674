package halide

import (
	"math"

	"github.com/headwater-live/headwater/halide/internal/kernels"
)

// SquaredError returns the sum of (a-b)^2 over two planes of the same size, exactly.
func SquaredError(a, b *Plane) (uint64, error) {
	const call = "SquaredError"
	if err := checkPlane(call, "a", a); err != nil {
		return 0, err
	}
	if err := checkPlane(call, "b", b); err != nil {
		return 0, err
	}
	if err := sameSize(call, "b", b, a); err != nil {
		return 0, err
	}
	enter()
	defer leave()
	return kernels.SquaredError(a, b)
}

// Psnr returns the peak signal-to-noise ratio in dB of each plane of a against b and of the three
// together, weighted by their pixels; +Inf where they are equal.
func Psnr(a, b *Frame) (planes [3]float64, all float64, err error) {
	const call = "Psnr"
	if err := checkFrame(call, "a", a); err != nil {
		return planes, 0, err
	}
	if err := checkFrame(call, "b", b); err != nil {
		return planes, 0, err
	}
	p, q := a.Planes(), b.Planes()
	var total uint64
	pixels := 0
	for i := range p {
		sum, err := SquaredError(p[i], q[i])
		if err != nil {
			return planes, 0, err
		}
		n := p[i].Width * p[i].Height
		planes[i] = psnr(sum, n)
		total, pixels = total+sum, pixels+n
	}
	return planes, psnr(total, pixels), nil
}

func psnr(sum uint64, pixels int) float64 {
	return 10 * math.Log10(255*255*float64(pixels)/float64(sum))
}
