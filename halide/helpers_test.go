package halide

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/headwater-live/headwater/halide/reference"
)

// picture returns a plane of random pixels whose stride is pad bytes more than its width, with
// memory that ends with its last pixel. Every fourth row is flat, every fifth black and white.
func picture(r *rand.Rand, w, h, pad int) Plane {
	p := Plane{Pix: make([]byte, (w+pad)*(h-1)+w), Stride: w + pad, Width: w, Height: h}
	for y := range h {
		row := p.Row(y)
		flat := byte(r.Uint32())
		for x := range row {
			switch v := byte(r.Uint32()); {
			case y%4 == 3:
				row[x] = flat
			case y%5 == 4:
				row[x] = -(v & 1)
			default:
				row[x] = v
			}
		}
	}
	return p
}

func frame(r *rand.Rand, w, h, pad int) Frame {
	return Frame{
		Y: picture(r, w, h, pad),
		U: picture(r, (w+1)/2, (h+1)/2, pad),
		V: picture(r, (w+1)/2, (h+1)/2, pad+1),
	}
}

func clone(p *Plane) Plane {
	q := *p
	q.Pix = bytes.Clone(p.Pix)
	return q
}

func cloneFrame(f *Frame) Frame { return Frame{Y: clone(&f.Y), U: clone(&f.U), V: clone(&f.V)} }

// samePlane fails the test at the first byte that differs, padding included.
func samePlane(t *testing.T, what string, got, want *Plane) {
	t.Helper()
	if bytes.Equal(got.Pix, want.Pix) {
		return
	}
	for i, v := range got.Pix {
		if v != want.Pix[i] {
			t.Fatalf("%s: %dx%d stride %d: pixel (%d, %d) is %d, want %d", what, got.Width, got.Height,
				got.Stride, i%got.Stride, i/got.Stride, v, want.Pix[i])
		}
	}
}

func sameFrame(t *testing.T, what string, got, want *Frame) {
	t.Helper()
	g, w := got.Planes(), want.Planes()
	for i := range g {
		samePlane(t, what+" plane "+string(rune('0'+i)), g[i], w[i])
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sizes calls f for every size from 1x1 to 64x64, in steps in short runs, and for larger ones: odd,
// around the tiles, and those of pictures.
func sizes(f func(w, h, pad int)) {
	step := 1
	if testing.Short() {
		step = 3
	}
	for w := 1; w <= 64; w += step {
		for h := 1; h <= 64; h += step {
			f(w, h, (w+h)%4)
		}
	}
	for _, s := range [][3]int{
		{65, 5, 0},
		{66, 33, 1},
		{67, 1, 0},
		{127, 2, 3},
		{128, 64, 0},
		{129, 65, 7},
		{131, 77, 9},
		{191, 31, 2},
		{257, 96, 1},
		{319, 241, 3},
		{721, 161, 15},
		{720, 160, 0},
		{1279, 35, 1},
		{2049, 9, 3},
		{2113, 40, 0},
		{4200, 6, 1},
	} {
		f(s[0], s[1], s[2])
	}
}

// refused checks that err is an ArgumentError about the argument.
func refused(t *testing.T, what string, err error, argument string) {
	t.Helper()
	var wrong *ArgumentError
	if !errors.As(err, &wrong) {
		t.Fatalf("%s: error %v, want an ArgumentError", what, err)
	}
	if wrong.Argument != argument {
		t.Fatalf("%s: error names %q (%v), want %q", what, wrong.Argument, err, argument)
	}
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 14)) }

// evened is the oracle of clip: a region's rectangle, by looking at every coordinate.
func evened(r Rect, w, h int) Rect {
	x0, x1, y0, y1 := w, -1, h, -1
	for x := range w {
		if x >= r.X && x < r.X+r.W {
			x0, x1 = min(x0, x&^1), max(x1, min(x|1, w-1))
		}
	}
	for y := range h {
		if y >= r.Y && y < r.Y+r.H {
			y0, y1 = min(y0, y&^1), max(y1, min(y|1, h-1))
		}
	}
	return Rect{X: x0, Y: y0, W: x1 - x0 + 1, H: y1 - y0 + 1}
}

// plainBlur is BlurRegions by the plain Go version.
func plainBlur(dst, src *Frame, regions []Region, rest bool) {
	var clipped []Region
	for _, r := range regions {
		r.Rect = evened(r.Rect, src.Y.Width, src.Y.Height)
		if r.Rect.W > 0 && r.Rect.H > 0 {
			clipped = append(clipped, r)
		}
	}
	reference.Blur(dst, src, clipped, rest, gaussians)
}
