package halide

import (
	"math"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// Effect is what is done to a region.
type Effect = reference.Effect

// The effects.
const (
	Box      = reference.Box
	Gaussian = reference.Gaussian
	Pixelate = reference.Pixelate
	Solid    = reference.Solid
)

// Region is a rectangle and what happens to it.
type Region = reference.Region

// MaxRegions is how many regions one call takes.
const MaxRegions = 64

// gaussians holds 32 weights for each radius up to 31, the centre first.
var gaussians = gaussianTaps()

const maxGaussian = 31

func gaussianTaps() []byte {
	all := make([]byte, 32*(maxGaussian+1))
	for r := 1; r <= maxGaussian; r++ {
		taps := all[32*r:][:r+1]
		exact, sum, sigma := [32]float64{}, 1.0, 0.4*float64(r)
		for k := 1; k <= r; k++ {
			exact[k] = math.Exp(-float64(k*k) / (2 * sigma * sigma))
			sum += 2 * exact[k]
		}
		centre := 256
		for k := 1; k <= r; k++ {
			taps[k] = byte(math.Round(256 * exact[k] / sum))
			centre -= 2 * int(taps[k])
		}
		taps[0] = byte(centre)
	}
	return all
}

// BlurRegions writes regions of src, blurred, to dst, which has the same size and shares no memory
// with src: decoded frames are references of the decoder and are never written to. With rest set,
// the whole of src is copied first, so that dst is the finished picture; otherwise only the regions
// of dst are written.
//
// A rectangle is clipped to the frame and its edges are moved outwards to even pixels, so that
// nothing escapes through chroma; an empty one does nothing. A blur sees only the pixels inside its
// region, edges repeated. Where regions overlap the last one holds. On an error the content of the
// regions of dst is unknown and must not be shown.
func BlurRegions(dst, src *Frame, regions []Region, rest bool) error {
	return blurRegions(dst, src, regions, rest, 0)
}

// blurRegions does strip rows at a time, or what the cache holds for 0.
func blurRegions(dst, src *Frame, regions []Region, rest bool, strip int) error {
	const call = "BlurRegions"
	if err := checkFrame(call, "dst", dst); err != nil {
		return err
	}
	if err := checkFrame(call, "src", src); err != nil {
		return err
	}
	if err := sameSize(call, "dst", &dst.Y, &src.Y); err != nil {
		return err
	}
	if err := checkApart(call, dst, src); err != nil {
		return err
	}
	if len(regions) > MaxRegions {
		return wrong(call, "regions", "%d, at most %d", len(regions), MaxRegions)
	}
	var clipped [MaxRegions]kernels.Region
	n := 0
	for i := range regions {
		r, err := clip(&regions[i], src.Y.Width, src.Y.Height)
		if err != nil {
			return err
		}
		if r.W > 0 && r.H > 0 {
			clipped[n] = r
			n++
		}
	}
	enter()
	defer leave()
	return kernels.Blur(dst, src, clipped[:n], gaussians, rest, strip)
}

// clip checks a region and fits it to a frame of w by h.
func clip(r *Region, w, h int) (kernels.Region, error) {
	const call = "BlurRegions"
	limit := 0
	switch r.Effect {
	case Box:
		limit = 127
	case Gaussian:
		limit = maxGaussian
	case Pixelate:
		limit = 256
		if r.Size%2 != 0 {
			return kernels.Region{}, wrong(call, "regions", "cell of %d pixels is odd", r.Size)
		}
	case Solid:
	default:
		return kernels.Region{}, wrong(call, "regions", "effect %d", int(r.Effect))
	}
	if limit > 0 && (r.Size < 1 || r.Size > limit) {
		return kernels.Region{}, wrong(call, "regions", "%v of size %d outside 1 to %d", r.Effect,
			r.Size, limit)
	}
	if r.Rect.W < 0 || r.Rect.H < 0 {
		return kernels.Region{}, wrong(call, "regions", "size %dx%d", r.Rect.W, r.Rect.H)
	}
	x0, x1 := span(r.Rect.X, r.Rect.W, w)
	y0, y1 := span(r.Rect.Y, r.Rect.H, h)
	return kernels.Region{
		X: int32(x0), Y: int32(y0), W: int32(x1 - x0), H: int32(y1 - y0),
		Effect: int32(r.Effect), Size: int32(r.Size),
		Luma: int32(r.Luma), U: int32(r.U), V: int32(r.V),
	}, nil
}

// span clips [at, at+n) to [0, limit) and moves its ends outwards to even numbers, but not past
// limit. It cannot overflow.
func span(at, n, limit int) (from, to int) {
	if at >= limit || n == 0 || at < -n {
		return 0, 0
	}
	from = max(at, 0) &^ 1
	to = limit
	if at < 0 {
		to = min(limit, (at+n+1)&^1)
	} else if n < limit-at {
		to = min(limit, (at+n+1)&^1)
	}
	return from, max(from, to)
}
