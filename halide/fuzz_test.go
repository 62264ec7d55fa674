package halide

import (
	"math"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// extent folds any number into 1 to limit.
func extent(n uint16, limit int) int { return int(n)%limit + 1 }

// padding is how much longer than its width a plane's stride is: mostly a little, at times a lot.
func padding(n uint64) int {
	if n%8 == 7 {
		return int(n % 251)
	}
	return int(n % 5)
}

func FuzzBlur(f *testing.F) {
	f.Add(uint64(1), uint16(100), uint16(60), uint8(0), uint8(8), 0, 0, 100, 60)
	f.Add(uint64(2), uint16(720), uint16(33), uint8(1), uint8(12), -5, 3, 70, 70)
	f.Add(uint64(3), uint16(65), uint16(1), uint8(2), uint8(16), 60, 0, 9, 9)
	f.Add(uint64(4), uint16(1), uint16(65), uint8(3), uint8(1), 0, -1, 1, 3)
	f.Fuzz(func(t *testing.T, seed uint64, fw, fh uint16, effect, size uint8, x, y, w, h int) {
		r := random(seed)
		src := frame(r, extent(fw, 800), extent(fh, 100), padding(seed))
		got := frame(r, src.Y.Width, src.Y.Height, padding(seed>>8))
		region := Region{Rect: Rect{X: x, Y: y, W: w, H: h}, Effect: Effect(effect % 5), Size: int(size)}
		region.Luma, region.U, region.V = size, effect, byte(seed)
		second := effects[seed%uint64(len(effects))]
		second.Rect = Rect{X: int(seed % 50), Y: int(seed % 40), W: 77, H: 33}
		regions := []Region{region, second}
		want, before := cloneFrame(&got), cloneFrame(&src)
		if err := BlurRegions(&got, &src, regions, seed%2 == 0); err != nil {
			sameFrame(t, "after an error", &got, &want)
			return
		}
		var clipped []Region
		for _, g := range regions {
			k, err := clip(&g, src.Y.Width, src.Y.Height)
			must(t, err)
			if k.W > 0 && k.H > 0 {
				g.Rect = Rect{X: int(k.X), Y: int(k.Y), W: int(k.W), H: int(k.H)}
				clipped = append(clipped, g)
			}
		}
		reference.Blur(&want, &src, clipped, seed%2 == 0, gaussians)
		sameFrame(t, "blur", &got, &want)
		sameFrame(t, "source", &src, &before)
	})
}

func FuzzScale(f *testing.F) {
	f.Add(uint64(1), uint16(720), uint16(48), uint16(480), uint16(32))
	f.Add(uint64(2), uint16(721), uint16(49), uint16(361), uint16(24))
	f.Add(uint64(3), uint16(402), uint16(3), uint16(134), uint16(1))
	f.Add(uint64(4), uint16(500), uint16(100), uint16(375), uint16(75))
	f.Add(uint64(5), uint16(300), uint16(50), uint16(400), uint16(60))
	f.Fuzz(func(t *testing.T, seed uint64, w, h, ow, oh uint16) {
		s, err := NewScaler(extent(w, 900), extent(h, 120), extent(ow, 900), extent(oh, 120))
		if err != nil {
			return
		}
		r := random(seed)
		src := frame(r, s.srcWidth, s.srcHeight, padding(seed))
		got := frame(r, s.dstWidth, s.dstHeight, padding(seed>>8))
		want := cloneFrame(&got)
		kernels.PlainScale(&s.scaling, &want, &src)
		must(t, s.Scale(&got, &src))
		sameFrame(t, "scale", &got, &want)
	})
}

func FuzzDetect(f *testing.F) {
	f.Add(uint64(1), uint16(100), uint16(60), uint8(3))
	f.Add(uint64(2), uint16(65), uint16(33), uint8(0))
	f.Add(uint64(3), uint16(2112), uint16(2), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, fw, fh uint16, pad uint8) {
		r := random(seed)
		w, h := extent(fw, 4500), extent(fh, 70)
		a, b := picture(r, w, h, padding(uint64(pad))), picture(r, w, h, padding(seed))
		rows, columns := make([]uint32, h), make([]uint32, w)
		wantRows, wantColumns := make([]uint32, h), make([]uint32, w)
		sad, sum := reference.Diff(&a, &b, wantRows, wantColumns)
		d, err := Diff(&a, &b, rows, columns)
		must(t, err)
		if d.SAD != sad || d.Sum != sum ||
			!slices.Equal(rows, wantRows) || !slices.Equal(columns, wantColumns) {
			t.Fatal("diff")
		}
		reference.Edges(&a, wantRows, wantColumns)
		must(t, Edges(&a, rows, columns))
		if !slices.Equal(rows, wantRows) || !slices.Equal(columns, wantColumns) {
			t.Fatal("edges")
		}
		if e, err := SquaredError(&a, &b); err != nil || e != reference.SquaredError(&a, &b) {
			t.Fatal("squared error", e, err)
		}
		if cell := 4 << (seed % 3); w >= cell && h >= cell {
			got, want := NewPlane(w/cell, h/cell), NewPlane(w/cell, h/cell)
			reference.Thumbnail(&want, &a, cell)
			must(t, Thumbnail(&got, &a, cell))
			samePlane(t, "thumbnail", &got, &want)
		}
		tw, th := min(w, 1+int(seed%90)), min(h, 1+int(seed%13))
		pic := a.Crop(w-tw, h-th, tw, th)
		tmpl, err := NewTemplate(&pic, nil)
		if err != nil {
			return
		}
		pw, ph := min(9, w-tw+1), min(5, h-th+1)
		got, want := make([]float32, pw*ph), make([]float32, pw*ph)
		_, err = tmpl.Match(got, &a, w-tw-pw+1, h-th-ph+1, pw, ph)
		must(t, err)
		window := a.Crop(w-tw-pw+1, h-th-ph+1, pw+tw-1, ph+th-1)
		reference.Match(want, &window, tmpl.t, pw, ph)
		for i := range got {
			if math.Abs(float64(got[i]-want[i])) > 1e-6 {
				t.Fatalf("match at %d: %v, want %v", i, got[i], want[i])
			}
		}
	})
}

func FuzzAudio(f *testing.F) {
	f.Add(uint64(1), uint16(1024), uint16(1))
	f.Add(uint64(2), uint16(127), uint16(300))
	f.Fuzz(func(t *testing.T, seed uint64, n, m uint16) {
		r := random(seed)
		k, err := NewKWeighted(8000 + int(seed%100000))
		must(t, err)
		filter := k.filter
		var state reference.KState
		for _, n := range []int{extent(n, 5000), extent(m, 5000)} {
			p, fl := samples(r, 2*n)
			got, err := LevelS16(Interleaved(p))
			must(t, err)
			sameMeter(t, n, got[1], reference.LevelS16(p[1:], n, 2), 0)
			got, err = LevelF32(Stereo(fl[:n], fl[n:]))
			must(t, err)
			sameMeter(t, n, got[1], reference.LevelF32(fl[n:], n, 1), 1e-5)
			e, err := k.F32(Mono(fl[:n]))
			must(t, err)
			want := reference.KWeightedF32(&filter, fl, n, 1, &state)
			if math.Abs(e[0]-want) > 1e-7*want+1e-12 {
				t.Fatalf("k-weighted: %v, want %v", e[0], want)
			}
		}
	})
}
