package halide

import (
	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// MaxRatio is the largest ratio of a source's size to the destination's.
const MaxRatio = 32

// Scaler scales frames of one size to another. It does not change and may be shared.
//
// The ratios 2:1, 3:2, 4:3 and 3:1, along both axes and within a pixel of the exact size, have
// kernels of their own, which take the mean of the area that an output pixel covers. Any other size
// is scaled by tables: bilinear up to a ratio of 2 and when enlarging, the mean of the area beyond.
type Scaler struct {
	srcWidth, srcHeight, dstWidth, dstHeight int

	scaling kernels.Scaling
	tiled   bool // every plane is wide enough for the kernels
}

// NewScaler returns a scaler from one luma size to another, each 2 to MaxExtent.
func NewScaler(srcWidth, srcHeight, dstWidth, dstHeight int) (*Scaler, error) {
	const call = "NewScaler"
	for _, d := range [...]struct {
		name string
		n    int
	}{
		{"srcWidth", srcWidth},
		{"srcHeight", srcHeight},
		{"dstWidth", dstWidth},
		{"dstHeight", dstHeight},
	} {
		if d.n < 2 || d.n > MaxExtent {
			return nil, wrong(call, d.name, "%d outside 2 to %d", d.n, MaxExtent)
		}
	}
	if srcWidth > MaxRatio*dstWidth || srcHeight > MaxRatio*dstHeight {
		return nil, wrong(call, "dstWidth", "%dx%d to %dx%d is more than %d:1", srcWidth, srcHeight,
			dstWidth, dstHeight, MaxRatio)
	}
	s := &Scaler{srcWidth: srcWidth, srcHeight: srcHeight, dstWidth: dstWidth, dstHeight: dstHeight}
	cw, ch := (srcWidth+1)/2, (srcHeight+1)/2
	ow, oh := (dstWidth+1)/2, (dstHeight+1)/2
	s.scaling.Kind = kernels.General
	for kind, q := range [...]struct{ num, den int }{{2, 1}, {3, 2}, {4, 3}, {3, 1}} {
		if fits(srcWidth, dstWidth, q.num, q.den) && fits(srcHeight, dstHeight, q.num, q.den) &&
			fits(cw, ow, q.num, q.den) && fits(ch, oh, q.num, q.den) {
			s.scaling.Kind = int32(kind)
			s.fixed(cw, ow, q.num)
			return s, nil
		}
	}
	s.general(cw, ch, ow, oh)
	return s, nil
}

// fits tells whether in pixels at num:den give out, or nearly so for a picture that is not small.
func fits(in, out, num, den int) bool {
	exact := in * den / num
	if exact < kernels.Tile {
		return in*den == out*num
	}
	return out >= exact-1 && out <= exact+1
}

// fixed prepares one of the ladder's ratios.
func (s *Scaler) fixed(cw, ow, num int) {
	if s.scaling.Kind == kernels.Half {
		s.tiled = min(ow, cw/2) >= kernels.Tile
		return
	}
	s.tiled = cw-2 >= kernels.Tile
	s.scaling.Phases = make([]uint8, 2*s.srcWidth)
	for x := range s.srcWidth {
		if phase := x % num; phase < num-1 {
			s.scaling.Phases[x] = uint8(num - 1 - phase)
			s.scaling.Phases[s.srcWidth+x] = uint8(phase + 1)
		}
	}
}

// general prepares the tables of any other ratio, in the order in which the kernel reads them.
func (s *Scaler) general(cw, ch, ow, oh int) {
	taps := max(reference.Taps(s.srcWidth, s.dstWidth), reference.Taps(s.srcHeight, s.dstHeight),
		reference.Taps(cw, ow), reference.Taps(ch, oh))
	k := &s.scaling
	k.Taps = taps
	k.Tables = [4]reference.Tables{
		reference.NewTables(s.srcWidth, s.dstWidth, taps),
		reference.NewTables(s.srcHeight, s.dstHeight, taps),
		reference.NewTables(cw, ow, taps), reference.NewTables(ch, oh, taps),
	}
	for i, t := range k.Tables {
		k.Ints = append(k.Ints, t.First...)
		if i%2 == 1 { // rows: the taps of one output after another
			for _, w := range t.Weights {
				k.Weights = append(k.Weights, w...)
			}
			continue
		}
		for n := range taps { // columns: the first tap of every output, then the second
			for _, w := range t.Weights {
				k.Weights = append(k.Weights, w[n])
			}
		}
	}
	s.tiled = min(cw, ow) > max(kernels.Tile, taps) && ch > taps
}

// Scale scales src into dst, which have the sizes that the scaler was made for and share no memory.
// The result is exact: the same for every level of processor.
func (s *Scaler) Scale(dst, src *Frame) error {
	const call = "Scale"
	if s == nil || s.srcWidth == 0 {
		return wrong(call, "scaler", "nil or not made by NewScaler")
	}
	if err := checkFrame(call, "dst", dst); err != nil {
		return err
	}
	if err := checkFrame(call, "src", src); err != nil {
		return err
	}
	if dst.Y.Width != s.dstWidth || dst.Y.Height != s.dstHeight {
		return wrong(call, "dst", "size %dx%d, made for %dx%d", dst.Y.Width, dst.Y.Height, s.dstWidth,
			s.dstHeight)
	}
	if src.Y.Width != s.srcWidth || src.Y.Height != s.srcHeight {
		return wrong(call, "src", "size %dx%d, made for %dx%d", src.Y.Width, src.Y.Height, s.srcWidth,
			s.srcHeight)
	}
	if err := checkApart(call, dst, src); err != nil {
		return err
	}
	if !s.tiled {
		kernels.PlainScale(&s.scaling, dst, src)
		return nil
	}
	enter()
	defer leave()
	return kernels.Scale(&s.scaling, dst, src)
}
