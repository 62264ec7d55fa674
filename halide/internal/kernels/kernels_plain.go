//go:build !cgo || !linux || !(amd64 || arm64)

package kernels

import "github.com/headwater-live/headwater/halide/reference"

// Native tells whether compiled kernels serve.
const Native = false

// Level is 0: no kernels.
func Level() int { return 0 }

// Digest is empty: no kernels.
func Digest() string { return "" }

// LevelS16 measures n samples of one or two channels.
func LevelS16(l, r []int16, n, step int, out *[2]reference.Meter) error {
	out[0] = reference.LevelS16(l, n, step)
	if r != nil {
		out[1] = reference.LevelS16(r, n, step)
	}
	return nil
}

// LevelF32 measures n samples of one or two channels.
func LevelF32(l, r []float32, n, step int, out *[2]reference.Meter) error {
	out[0] = reference.LevelF32(l, n, step)
	if r != nil {
		out[1] = reference.LevelF32(r, n, step)
	}
	return nil
}

// KWeightedF32 returns the K-weighted energy of n samples of one channel.
func KWeightedF32(f *reference.KFilter, _, _ []float64, p []float32, n, step int,
	state *reference.KState,
) (float64, error) {
	return reference.KWeightedF32(f, p, n, step, state), nil
}

// KWeightedS16 returns the K-weighted energy of n samples of one channel.
func KWeightedS16(f *reference.KFilter, _, _ []float64, p []int16, n, step int,
	state *reference.KState,
) (float64, error) {
	return reference.KWeightedS16(f, p, n, step, state), nil
}

// Blur applies regions.
func Blur(dst, src *reference.Frame, regions []Region, taps []byte, rest bool, _ int) error {
	plain := make([]reference.Region, len(regions))
	for i, r := range regions {
		plain[i] = reference.Region{
			Rect:   reference.Rect{X: int(r.X), Y: int(r.Y), W: int(r.W), H: int(r.H)},
			Effect: reference.Effect(r.Effect), Size: int(r.Size),
			Luma: byte(r.Luma), U: byte(r.U), V: byte(r.V),
		}
	}
	reference.Blur(dst, src, plain, rest, taps)
	return nil
}

// Scale scales a frame.
func Scale(s *Scaling, dst, src *reference.Frame) error {
	PlainScale(s, dst, src)
	return nil
}

// Thumbnail writes the means of cells.
func Thumbnail(out, in *reference.Plane, cell int) error {
	reference.Thumbnail(out, in, cell)
	return nil
}

// Diff compares two planes.
func Diff(a, b *reference.Plane, rows, columns []uint32, totals *[2]uint64) error {
	totals[0], totals[1] = reference.Diff(a, b, rows, columns)
	return nil
}

// Edges projects gradients.
func Edges(in *reference.Plane, rows, columns []uint32) error {
	reference.Edges(in, rows, columns)
	return nil
}

// SquaredError returns the sum of squared differences.
func SquaredError(a, b *reference.Plane) (uint64, error) {
	return reference.SquaredError(a, b), nil
}

// Match correlates.
func Match(out []float32, in *reference.Plane, t *reference.Template, w, h int) error {
	reference.Match(out, in, t, w, h)
	return nil
}

// Noop does nothing.
func Noop() {}
