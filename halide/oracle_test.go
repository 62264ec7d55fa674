package halide

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

var effects = []Region{
	{Effect: Box, Size: 1},
	{Effect: Box, Size: 8},
	{Effect: Box, Size: 127},
	{Effect: Gaussian, Size: 1},
	{Effect: Gaussian, Size: 12},
	{Effect: Gaussian, Size: 31},
	{Effect: Pixelate, Size: 2},
	{Effect: Pixelate, Size: 16},
	{Effect: Pixelate, Size: 256},
	{Effect: Solid, Luma: 16, U: 128, V: 200},
}

func TestBlurEqualsReference(t *testing.T) {
	r := random(1)
	i := 0
	sizes(func(w, h, pad int) {
		src := frame(r, w, h, pad)
		for n := range 3 {
			region := effects[i%len(effects)]
			i++
			region.Rect = Rect{W: w, H: h}
			if n > 0 { // anywhere, also half or wholly outside
				region.Rect = Rect{
					X: r.IntN(2*w) - w/2, Y: r.IntN(2*h) - h/2,
					W: r.IntN(w + 3), H: r.IntN(h + 3),
				}
			}
			regions, rest := []Region{region}, n == 2
			got := frame(r, w, h, 3)
			want := cloneFrame(&got)
			plainBlur(&want, &src, regions, rest)
			must(t, BlurRegions(&got, &src, regions, rest))
			sameFrame(t, fmt.Sprintf("%dx%d %+v rest %v", w, h, region, rest), &got, &want)
		}
	})
}

func TestBlurByStrips(t *testing.T) {
	r := random(2)
	for _, region := range effects {
		src := frame(r, 333, 101, 2)
		region.Rect = Rect{X: 5, Y: 3, W: 300, H: 90}
		got := NewFrame(333, 101)
		want := NewFrame(333, 101)
		plainBlur(&want, &src, []Region{region}, false)
		for _, strip := range []int{1, 7, 32, 1000} {
			must(t, blurRegions(&got, &src, []Region{region}, false, strip))
			sameFrame(t, fmt.Sprintf("%+v by %d rows", region, strip), &got, &want)
		}
	}
}

func TestBlurSeveralRegions(t *testing.T) {
	r := random(3)
	for range 20 {
		src := frame(r, 300+r.IntN(50), 200+r.IntN(50), r.IntN(5))
		var regions []Region
		for range r.IntN(MaxRegions + 1) {
			region := effects[r.IntN(len(effects))]
			region.Rect = Rect{X: r.IntN(400) - 50, Y: r.IntN(300) - 50, W: r.IntN(200), H: r.IntN(100)}
			regions = append(regions, region)
		}
		before := cloneFrame(&src)
		got, want := NewFrame(src.Y.Width, src.Y.Height), NewFrame(src.Y.Width, src.Y.Height)
		plainBlur(&want, &src, regions, true)
		must(t, BlurRegions(&got, &src, regions, true))
		sameFrame(t, "regions", &got, &want)
		sameFrame(t, "source", &src, &before)
	}
}

func TestScaleEqualsReference(t *testing.T) {
	r := random(4)
	check := func(w, h, ow, oh, pad int) {
		t.Helper()
		s, err := NewScaler(w, h, ow, oh)
		must(t, err)
		src := frame(r, w, h, pad)
		got := frame(r, ow, oh, 2)
		want := cloneFrame(&got)
		kernels.PlainScale(&s.scaling, &want, &src)
		must(t, s.Scale(&got, &src))
		what := fmt.Sprintf("%dx%d to %dx%d kind %d tiled %v", w, h, ow, oh, s.scaling.Kind, s.tiled)
		sameFrame(t, what, &got, &want)
	}
	for _, q := range [][2]int{{2, 1}, {3, 2}, {4, 3}, {3, 1}} {
		for _, s := range [][2]int{
			{720, 96}, {1280, 36}, {1281, 35}, {1279, 50}, {600, 601}, {402, 48}, {403, 301},
		} {
			ow, oh := s[0]*q[1]/q[0], s[1]*q[1]/q[0]
			for dw := range 2 {
				for dh := range 2 {
					check(s[0], s[1], ow+dw, oh+dh, (dw+dh)%3)
				}
			}
		}
	}
	step := 3
	if testing.Short() {
		step = 9
	}
	for w := 2; w <= 64; w += step {
		for h := 2; h <= 64; h += step {
			check(w, h, 2+r.IntN(64), 2+r.IntN(64), w%3)
		}
	}
	for range 40 {
		w, h := 2+r.IntN(900), 2+r.IntN(200)
		ow, oh := max(2, w/MaxRatio+1)+r.IntN(900), max(2, h/MaxRatio+1)+r.IntN(200)
		check(w, h, ow, oh, r.IntN(4))
	}
}

func TestLadderUsesFixedKernels(t *testing.T) {
	for _, c := range []struct {
		w, h, ow, oh int
		kind         int32
	}{
		{1920, 1080, 1280, 720, kernels.Phase32},
		{1280, 720, 854, 480, kernels.Phase32},
		{1280, 720, 852, 480, kernels.Phase32},
		{720, 1280, 480, 854, kernels.Phase32},
		{1920, 1080, 960, 540, kernels.Half},
		{1280, 720, 640, 360, kernels.Half},
		{1080, 1920, 360, 640, kernels.Third},
		{1280, 720, 426, 240, kernels.Third},
		{854, 480, 640, 360, kernels.Phase43},
		{640, 480, 480, 360, kernels.Phase43},
		{1280, 720, 1024, 576, kernels.General},
	} {
		s, err := NewScaler(c.w, c.h, c.ow, c.oh)
		must(t, err)
		if s.scaling.Kind != c.kind || !s.tiled {
			t.Errorf("%dx%d to %dx%d: kind %d, tiled %v; want kind %d", c.w, c.h, c.ow, c.oh, s.scaling.Kind,
				s.tiled, c.kind)
		}
	}
}

// A picture of one colour keeps it, and a ramp keeps its slope: what any scaling must do.
func TestScaleKeepsFlatAndRamp(t *testing.T) {
	for _, c := range [][4]int{
		{720, 480, 360, 240},
		{720, 480, 480, 320},
		{720, 480, 240, 160},
		{720, 480, 540, 360},
		{720, 480, 500, 333},
		{720, 480, 100, 100},
		{720, 480, 900, 500},
	} {
		s, err := NewScaler(c[0], c[1], c[2], c[3])
		must(t, err)
		src, dst := NewFrame(c[0], c[1]), NewFrame(c[2], c[3])
		for i := range src.Y.Pix {
			src.Y.Pix[i] = byte(i % c[0] * 255 / c[0])
		}
		for i := range src.U.Pix {
			src.U.Pix[i], src.V.Pix[i] = 255, 77
		}
		must(t, s.Scale(&dst, &src))
		for x := range c[2] {
			want := (float64(x) + 0.5) / float64(c[2]) * 255
			if got := float64(dst.Y.Row(7)[x]); math.Abs(got-want) > 1.5 {
				t.Fatalf("%v: ramp at %d is %v, want %.1f", c, x, got, want)
			}
		}
		for i := range dst.U.Pix {
			if dst.U.Pix[i] != 255 || dst.V.Pix[i] != 77 {
				t.Fatalf("%v: flat chroma at %d is %d, %d", c, i, dst.U.Pix[i], dst.V.Pix[i])
			}
		}
	}
}

func TestThumbnailEqualsReference(t *testing.T) {
	r := random(5)
	for _, cell := range []int{4, 8, 16} {
		sizes(func(w, h, pad int) {
			for _, k := range []int{1, 5} {
				if w*k < cell || h < cell || w*k > MaxExtent {
					continue
				}
				src := picture(r, w*k, h, pad)
				got := picture(r, w*k/cell, h/cell, 1)
				want := clone(&got)
				reference.Thumbnail(&want, &src, cell)
				must(t, Thumbnail(&got, &src, cell))
				samePlane(t, fmt.Sprintf("cell %d of %dx%d", cell, w*k, h), &got, &want)
			}
		})
	}
	src := picture(r, 720, 100, 3)
	got, want := NewPlane(90, 5), NewPlane(90, 5)
	view := src.Crop(0, 13, 720, 44)
	reference.Thumbnail(&want, &view, 8)
	must(t, Strip(&got, &src, 13, 44, 8))
	samePlane(t, "strip", &got, &want)
}

func TestDiffEqualsReference(t *testing.T) {
	r := random(6)
	sizes(func(w, h, pad int) {
		a, b := picture(r, w, h, pad), picture(r, w, h, 2)
		rows, columns := make([]uint32, h), make([]uint32, w)
		wantRows, wantColumns := make([]uint32, h), make([]uint32, w)
		sad, sum := reference.Diff(&a, &b, wantRows, wantColumns)
		d, err := Diff(&a, &b, rows, columns)
		must(t, err)
		if d.SAD != sad || d.Sum != sum || d.Pixels != w*h || !slices.Equal(rows, wantRows) ||
			!slices.Equal(columns, wantColumns) {
			t.Fatalf("%dx%d: %+v, want SAD %d, sum %d; or their projections", w, h, d, sad, sum)
		}
		if d, err = Diff(&a, &b, nil, nil); err != nil || d.SAD != sad {
			t.Fatalf("%dx%d without projections: %+v, %v", w, h, d, err)
		}
	})
}

func TestDiffExtremes(t *testing.T) {
	a, b := NewPlane(4111, 70), NewPlane(4111, 70)
	for i := range a.Pix {
		a.Pix[i] = 255
	}
	rows, columns := make([]uint32, 70), make([]uint32, 4111)
	d, err := Diff(&a, &b, rows, columns)
	must(t, err)
	if d.Mean() != 255 || d.MAD() != 255 || rows[69] != 255*4111 || columns[4110] != 255*70 {
		t.Fatalf("white against black: %+v, row %d, column %d", d, rows[69], columns[4110])
	}
	e, err := SquaredError(&a, &b)
	must(t, err)
	if e != 255*255*4111*70 {
		t.Fatalf("squared error %d", e)
	}
}

func TestEdgesEqualReference(t *testing.T) {
	r := random(7)
	sizes(func(w, h, pad int) {
		a := picture(r, w, h, pad)
		rows, columns := make([]uint32, h), make([]uint32, w)
		wantRows, wantColumns := make([]uint32, h), make([]uint32, w)
		rows[0], columns[w-1] = 9, 9 // what was there before does not count
		reference.Edges(&a, wantRows, wantColumns)
		must(t, Edges(&a, rows, columns))
		if !slices.Equal(rows, wantRows) || !slices.Equal(columns, wantColumns) {
			t.Fatalf("%dx%d: projections differ", w, h)
		}
	})
}

func TestSquaredErrorEqualsReference(t *testing.T) {
	r := random(8)
	sizes(func(w, h, pad int) {
		a, b := picture(r, w, h, pad), picture(r, w, h, 1)
		got, err := SquaredError(&a, &b)
		must(t, err)
		if want := reference.SquaredError(&a, &b); got != want {
			t.Fatalf("%dx%d: %d, want %d", w, h, got, want)
		}
	})
}

func TestPsnr(t *testing.T) {
	a, b := NewFrame(100, 60), NewFrame(100, 60)
	planes, all, err := Psnr(&a, &b)
	must(t, err)
	if !math.IsInf(all, 1) || !math.IsInf(planes[2], 1) {
		t.Fatalf("equal frames: %v, %v", planes, all)
	}
	for i := range b.Y.Pix {
		b.Y.Pix[i] = 1
	}
	planes, all, err = Psnr(&a, &b)
	must(t, err)
	if math.Abs(planes[0]-48.1308) > 1e-3 || math.Abs(all-(48.1308+10*math.Log10(1.5))) > 1e-3 {
		t.Fatalf("off by one in luma: %v, %v", planes, all)
	}
}

func TestMatchEqualsReference(t *testing.T) {
	r := random(9)
	for range 150 {
		tw, th := 1+r.IntN(100), 1+r.IntN(30)
		w, h := 1+r.IntN(20), 1+r.IntN(12)
		x, y := r.IntN(5), r.IntN(5)
		src := picture(r, x+w+tw-1+r.IntN(3), y+h+th-1+r.IntN(3), r.IntN(4))
		px, py := r.IntN(w), r.IntN(h)
		from := src.Crop(x+px, y+py, tw, th)
		pic, mask := clone(&from), picture(r, tw, th, 1)
		for i := range mask.Pix {
			mask.Pix[i] &= 3
		}
		tmpl, err := NewTemplate(&pic, &mask)
		if err != nil {
			continue // no contrast
		}
		got, want := make([]float32, w*h), make([]float32, w*h)
		window := src.Crop(x, y, w+tw-1, h+th-1)
		reference.Match(want, &window, tmpl.t, w, h)
		best, err := tmpl.Match(got, &src, x, y, w, h)
		must(t, err)
		for i, v := range got {
			if math.Abs(float64(v-want[i])) > 1e-6 {
				t.Fatalf("%dx%d template, %dx%d places: %v at %d, want %v", tw, th, w, h, v, i, want[i])
			}
		}
		if math.Abs(float64(got[py*w+px])-1) > 1e-6 || got[best] < got[py*w+px] && got[best] > 0 {
			t.Fatalf("the template's own place has %v, the best %v", got[py*w+px], got[best])
		}
	}
}
