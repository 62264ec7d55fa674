//go:build peers && cgo

package halide

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/peers"
	"github.com/headwater-live/headwater/halide/reference"
)

// The kinds of peers.h.
const (
	peerBox = iota
	peerGauss
	peerPixelate
	peerHalf
	peerScale
	peerThumbnail
	peerDiff
	peerEdges
	peerSquared
)

// A contest is one job and who does it.
type contest struct {
	name  string
	bytes int
	runs  []contestant
}

type contestant struct {
	name string
	run  func()
}

// slice returns the processor time of one call in nanoseconds, over about 0.3 ms.
func slice(f func()) float64 {
	n, start := 0, threadTime()
	now := start
	for ; now-start < 300_000 || n == 0; now = threadTime() {
		for range 1 + n/4 {
			f()
			n++
		}
	}
	return float64(now-start) / float64(n)
}

// TestTable prints a line for each job and contestant: the least time over interleaved rounds. With
// HEADWATER_TABLE=kernels it leaves the peers out, as is enough for the other levels.
func TestTable(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all := os.Getenv("HEADWATER_TABLE") != "kernels"
	for _, c := range contests(t) {
		best := make([]float64, len(c.runs))
		for i := range best {
			best[i] = math.Inf(1)
		}
		for round := range 150 {
			for i, r := range c.runs {
				kernel := r.name == "halide"
				slow := best[i] > 2e6 && round > 5
				if slow || (!all && !kernel && r.name != "go") {
					continue
				}
				best[i] = min(best[i], slice(r.run))
			}
		}
		for i, r := range c.runs {
			if !math.IsInf(best[i], 1) {
				fmt.Printf("table\t%s\t%s\t%.3f\t%.1f\n",
					c.name, r.name, best[i]/1000, float64(c.bytes)/best[i])
			}
		}
	}
}

type pair struct {
	mine   Plane
	theirs peers.Plane
}

func newPair(w, h int) pair {
	p := peers.New(w, h)
	return pair{Plane{Pix: p.Pix, Stride: p.Stride, Width: w, Height: h}, p}
}

type frames [3]pair

func newFrames(w, h int, seed uint64) frames {
	f := frames{newPair(w, h), newPair((w+1)/2, (h+1)/2), newPair((w+1)/2, (h+1)/2)}
	r := random(seed)
	for _, p := range f {
		// A picture, not noise: waves and a little grain.
		for i := range p.mine.Pix {
			x, y := float64(i%p.mine.Width), float64(i/p.mine.Width)
			p.mine.Pix[i] = byte(128 + 80*math.Sin(x/37)*math.Cos(y/53) + float64(r.IntN(9)))
		}
	}
	return f
}

func (f *frames) frame() Frame { return Frame{Y: f[0].mine, U: f[1].mine, V: f[2].mine} }

// crop cuts the same rectangle, in luma pixels, from every plane.
func (f *frames) crop(x, y, w, h int) (planes [3]peers.Plane) {
	for i, p := range f {
		k := 1 + min(i, 1)
		q := p.theirs
		q.Pix, q.Width, q.Height = q.Pix[y/k*q.Stride+x/k:], w/k, h/k
		planes[i] = q
	}
	return planes
}

func contests(t *testing.T) []contest {
	src, dst := newFrames(benchWidth, benchHeight, 1), newFrames(benchWidth, benchHeight, 2)
	list := audioContests(t)
	list = append(list, blurContests(t, &src, &dst)...)
	list = append(list, scaleContests(t, &src)...)
	list = append(list, diffContests(&src, &dst)...)
	return append(list, matchContest(t, &src), bannerContest(t, &src, &dst))
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

func audioContests(t *testing.T) []contest {
	p, f := make([]int16, 2048), make([]float32, 2048)
	for i := range p {
		p[i] = int16(8000 * math.Sin(float64(i)/7))
		f[i] = float32(p[i]) / 32768
	}
	s, fs := Stereo(p[:1024], p[1024:]), Stereo(f[:1024], f[1024:])
	k, err := NewKWeighted(48000)
	must(t, err)
	filter := reference.NewKFilter(48000)
	var st [2]reference.KState
	state := make([]float64, 12)
	var keep float64
	return []contest{
		{"cgo crossing", 0, []contestant{{"halide", kernels.Noop}}},
		{"level s16 2x1024", 4096, []contestant{
			{"halide", func() { _, err := LevelS16(s); ok(err) }},
			{"go", func() {
				keep += reference.LevelS16(p[:1024], 1024, 1).Peak + reference.LevelS16(p[1024:], 1024, 1).Peak
			}},
			{"gcc", func() { peers.Level(p[:1024], 1024); peers.Level(p[1024:], 1024) }},
		}},
		{"level f32 2x1024", 8192, []contestant{
			{"halide", func() { _, err := LevelF32(fs); ok(err) }},
			{"go", func() {
				keep += reference.LevelF32(f[:1024], 1024, 1).Peak + reference.LevelF32(f[1024:], 1024, 1).Peak
			}},
		}},
		{"k-weighted f32 2x1024", 8192, []contestant{
			{"halide", func() { _, err := k.F32(fs); ok(err) }},
			{"go", func() {
				keep += reference.KWeightedF32(&filter, f[:1024], 1024, 1, &st[0])
				keep += reference.KWeightedF32(&filter, f[1024:], 1024, 1, &st[1])
			}},
			{"gcc", func() {
				peers.KWeighted(filter[:], f[:1024], state[:6])
				peers.KWeighted(filter[:], f[1024:], state[6:])
			}},
		}},
	}
}

func blurContests(t *testing.T, src, dst *frames) []contest {
	s, d := src.frame(), dst.frame()
	blur := func(name string, r Rect, e Effect, size, kind int, filter string) contest {
		regions := []Region{{Rect: r, Effect: e, Size: size}}
		in, out := src.crop(r.X, r.Y, r.W, r.H), dst.crop(r.X, r.Y, r.W, r.H)
		each := func(run func(int, peers.Plane, peers.Plane, int)) func() {
			return func() {
				for i := range in {
					n := size
					if i > 0 {
						n = (size + 1) / 2
					}
					run(kind, out[i], in[i], n)
				}
			}
		}
		g := peers.NewFilter(filter, r.W, r.H)
		return contest{name, r.W * r.H * 3 / 2, []contestant{
			{"halide", func() { ok(BlurRegions(&d, &s, regions, false)) }},
			{"go", func() { reference.Blur(&d, &s, regions, false, gaussians) }},
			{"gcc", each(peers.Plain)},
			{"opencv", each(peers.OpenCV)},
			{"libavfilter", func() { g.Run(in[0], in[1], in[2]) }},
		}}
	}
	region, whole := Rect{Y: 40, W: 720, H: 160}, Rect{W: benchWidth, H: benchHeight}
	copyAll := contest{"copy of a frame", benchWidth * benchHeight * 3 / 2, []contestant{
		{"halide", func() { ok(BlurRegions(&d, &s, nil, true)) }},
		{"memcpy", func() {
			for i := range src {
				peers.Copy(dst[i].theirs, src[i].theirs)
			}
		}},
		{"go", func() {
			for i := range src {
				copy(dst[i].mine.Pix, src[i].mine.Pix)
			}
		}},
	}}
	return []contest{
		copyAll,
		blur("region box r16", region, Box, 16, peerBox, "avgblur=sizeX=16"),
		blur("region gaussian r12", region, Gaussian, 12, peerGauss, "gblur=sigma=4.8"),
		blur("region pixelate 16", region, Pixelate, 16, peerPixelate, "pixelize=w=16:h=16"),
		blur("frame box r12", whole, Box, 12, peerBox, "avgblur=sizeX=12"),
	}
}

func scaleContests(t *testing.T, src *frames) []contest {
	s := src.frame()
	scale := func(name string, w, h, kind, ratio int, box bool) contest {
		scaler, err := NewScaler(benchWidth, benchHeight, w, h)
		must(t, err)
		out := newFrames(w, h, 3)
		d := out.frame()
		each := func(run func(int, peers.Plane, peers.Plane, int), n int) func() {
			return func() {
				for i := range src {
					run(kind, out[i].theirs, src[i].theirs, n)
				}
			}
		}
		flags, n := "area", 1
		if !box {
			flags, n = "bilinear", 0
		}
		g := peers.NewFilter(fmt.Sprintf("scale=%d:%d:flags=%s", w, h, flags), benchWidth, benchHeight)
		c := contest{name, benchWidth * benchHeight * 3 / 2, []contestant{
			{"halide", func() { ok(scaler.Scale(&d, &s)) }},
			{"go", func() { kernels.PlainScale(&scaler.scaling, &d, &s) }},
			{"gcc", each(peers.Plain, ratio)},
			{"libyuv", each(peers.Yuv, n)},
			{"opencv", each(peers.OpenCV, n)},
			{"libavfilter", func() { g.Run(src[0].theirs, src[1].theirs, src[2].theirs) }},
		}}
		if box && kind == peerScale {
			c.runs = append(c.runs, contestant{"libyuv bilinear", each(peers.Yuv, 0)},
				contestant{"opencv bilinear", each(peers.OpenCV, 0)})
		}
		return c
	}
	return []contest{
		scale("scale 2:1", 360, 640, peerHalf, 0, true),
		scale("scale 3:2", 480, 854, peerScale, 32, true),
		scale("scale 4:3", 540, 960, peerScale, 43, true),
		scale("scale 3:1", 240, 426, peerScale, 31, true),
		scale("scale general 1.44 bilinear", 500, 888, peerScale, 0, false),
	}
}

func diffContests(src, dst *frames) []contest {
	a, b := &src[0], &dst[0]
	const n = benchWidth * benchHeight
	thumb, other := newPair(90, 160), newPair(90, 160)
	ok(Thumbnail(&other.mine, &b.mine, 8))
	rows, columns := make([]uint32, benchHeight), make([]uint32, benchWidth)
	var keep uint64
	return []contest{
		{"thumbnail 1/8", n, []contestant{
			{"halide", func() { ok(Thumbnail(&thumb.mine, &a.mine, 8)) }},
			{"go", func() { reference.Thumbnail(&thumb.mine, &a.mine, 8) }},
			{"gcc", func() { peers.Plain(peerThumbnail, thumb.theirs, a.theirs, 1) }},
			{"libyuv", func() { peers.Yuv(peerThumbnail, thumb.theirs, a.theirs, 1) }},
			{"opencv", func() { peers.OpenCV(peerThumbnail, thumb.theirs, a.theirs, 1) }},
		}},
		{"diff of frames", 2 * n, []contestant{
			{"halide", func() { _, err := Diff(&a.mine, &b.mine, rows, columns); ok(err) }},
			{"go", func() { s, _ := reference.Diff(&a.mine, &b.mine, rows, columns); keep += s }},
			{"gcc", func() { peers.Plain(peerDiff, b.theirs, a.theirs, 0) }},
			{"opencv", func() { peers.OpenCV(peerDiff, b.theirs, a.theirs, 0) }},
		}},
		{"diff of thumbnails", 2 * 90 * 160, []contestant{
			{"halide", func() {
				_, err := Diff(&thumb.mine, &other.mine, rows[:160], columns[:90])
				ok(err)
			}},
			{"go", func() {
				s, _ := reference.Diff(&thumb.mine, &other.mine, rows[:160], columns[:90])
				keep += s
			}},
			{"gcc", func() { peers.Plain(peerDiff, other.theirs, thumb.theirs, 0) }},
		}},
		{"edges of a frame", n, []contestant{
			{"halide", func() { ok(Edges(&a.mine, rows, columns)) }},
			{"go", func() { reference.Edges(&a.mine, rows, columns) }},
			{"gcc", func() { peers.Plain(peerEdges, a.theirs, a.theirs, 0) }},
			{"opencv", func() { peers.OpenCV(peerEdges, a.theirs, a.theirs, 0) }},
		}},
		{"squared error of luma", 2 * n, []contestant{
			{"halide", func() { _, err := SquaredError(&a.mine, &b.mine); ok(err) }},
			{"go", func() { keep += reference.SquaredError(&a.mine, &b.mine) }},
			{"gcc", func() { peers.Plain(peerSquared, b.theirs, a.theirs, 0) }},
			{"libyuv", func() { peers.Yuv(peerSquared, b.theirs, a.theirs, 0) }},
			{"opencv", func() { peers.OpenCV(peerSquared, b.theirs, a.theirs, 0) }},
		}},
	}
}

func matchContest(t *testing.T, src *frames) contest {
	a := &src[0]
	from := a.mine.Crop(3, 3, 96, 18)
	tmpl, err := NewTemplate(&from, nil)
	must(t, err)
	pic := newPair(96, 18)
	for y := range 18 {
		copy(pic.mine.Row(y), from.Row(y))
	}
	places := make([]float32, 192)
	window := a.mine.Crop(0, 0, 103, 41)
	return contest{"match 96x18 at 192 places", 96 * 18 * 192, []contestant{
		{"halide", func() { _, err := tmpl.Match(places, &a.mine, 0, 0, 8, 24); ok(err) }},
		{"go", func() { reference.Match(places, &window, tmpl.t, 8, 24) }},
		{"gcc", func() {
			peers.Match(false, places, a.theirs, pic.theirs, tmpl.t.Pixels, tmpl.t.Mask, 8, 24)
		}},
		{"opencv", func() { peers.Match(true, places, a.theirs, pic.theirs, nil, nil, 8, 24) }},
	}}
}

// bannerContest is a detector and what it leads to: a template of 86x18 cells at 40 rows of the
// thumbnail, differences, and a blur.
func bannerContest(t *testing.T, src, dst *frames) contest {
	a, b := &src[0], &dst[0]
	const n = benchWidth * benchHeight
	thumb, other := newPair(90, 160), newPair(90, 160)
	ok(Thumbnail(&other.mine, &b.mine, 8))
	rows, columns := make([]uint32, 160), make([]uint32, 90)
	column := make([]float32, 40)
	plate := thumb.mine.Crop(0, 0, 86, 18)
	ok(Thumbnail(&thumb.mine, &a.mine, 8))
	detector, err := NewTemplate(&plate, nil)
	must(t, err)
	s, d := src.frame(), dst.frame()
	banner := []Region{{Rect: Rect{Y: 8, W: 720, H: 192}, Effect: Box, Size: 16}}
	return contest{"detect and blur 720x192", n, []contestant{{"halide", func() {
		ok(Thumbnail(&thumb.mine, &a.mine, 8))
		_, err := Diff(&thumb.mine, &other.mine, rows, columns)
		ok(err)
		_, err = detector.Match(column, &thumb.mine, 0, 0, 1, 40)
		ok(err)
		ok(BlurRegions(&d, &s, banner, false))
	}}}}
}
