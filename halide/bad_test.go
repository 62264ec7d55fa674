package halide

import (
	"math"
	"testing"
)

// Each change makes a good 100x60 plane, at (100 x 2, stride 104), bad.
var badPlanes = []struct {
	what   string
	change func(p *Plane)
}{
	{"nil memory", func(p *Plane) { p.Pix = nil }},
	{"short by one", func(p *Plane) { p.Pix = p.Pix[:len(p.Pix)-1] }},
	{"zero width", func(p *Plane) { p.Width = 0 }},
	{"zero height", func(p *Plane) { p.Height = 0 }},
	{"negative width", func(p *Plane) { p.Width = -4 }},
	{"negative height", func(p *Plane) { p.Height = math.MinInt }},
	{"huge width", func(p *Plane) { p.Width = math.MaxInt }},
	{"huge height", func(p *Plane) { p.Height = 1 << 40 }},
	{"stride under width", func(p *Plane) { p.Stride = p.Width - 1 }},
	{"zero stride", func(p *Plane) { p.Stride = 0 }},
	{"negative stride", func(p *Plane) { p.Stride = -104 }},
	{"huge stride", func(p *Plane) { p.Stride = math.MaxInt }},
	{"zero value", func(p *Plane) { *p = Plane{} }},
}

// planeCall makes the planes of one call, in the order of names, and the call.
type planeCall struct {
	name  string
	names []string
	call  func(src, dst, small *Frame, thumb *Plane) (planes []*Plane, run func() error)
}

func frameCalls(t *testing.T) []planeCall {
	scaler, err := NewScaler(200, 120, 100, 60)
	must(t, err)
	return []planeCall{
		{"BlurRegions", []string{"src.Y", "src.U", "src.V", "dst.Y", "dst.U", "dst.V"}, func(
			s, d, _ *Frame, _ *Plane,
		) ([]*Plane, func() error) {
			regions := []Region{{Rect: Rect{W: 10, H: 10}, Size: 3}}
			return []*Plane{&s.Y, &s.U, &s.V, &d.Y, &d.U, &d.V},
				func() error { return BlurRegions(d, s, regions, true) }
		}},
		{"Scale", []string{"src.Y", "src.V", "dst.Y", "dst.U"}, func(
			s, _, m *Frame, _ *Plane,
		) ([]*Plane, func() error) {
			return []*Plane{&s.Y, &s.V, &m.Y, &m.U}, func() error { return scaler.Scale(m, s) }
		}},
		{"Psnr", []string{"a.Y", "b.U"}, func(s, d, _ *Frame, _ *Plane) ([]*Plane, func() error) {
			return []*Plane{&s.Y, &d.U}, func() error { _, _, err := Psnr(s, d); return err }
		}},
	}
}

func pictureCalls(t *testing.T) []planeCall {
	pic := picture(random(1), 20, 8, 0)
	tmpl, err := NewTemplate(&pic, nil)
	must(t, err)
	rows, columns := make([]uint32, 120), make([]uint32, 200)
	return []planeCall{
		{"Thumbnail", []string{"src", "dst"}, func(s, _, _ *Frame, p *Plane) ([]*Plane, func() error) {
			return []*Plane{&s.Y, p}, func() error { return Thumbnail(p, &s.Y, 8) }
		}},
		{"Strip", []string{"src", "dst"}, func(s, _, _ *Frame, p *Plane) ([]*Plane, func() error) {
			return []*Plane{&s.Y, p}, func() error { return Strip(p, &s.Y, 0, 120, 8) }
		}},
		{"Diff", []string{"a", "b"}, func(s, d, _ *Frame, _ *Plane) ([]*Plane, func() error) {
			return []*Plane{&s.Y, &d.Y},
				func() error { _, err := Diff(&s.Y, &d.Y, rows, columns); return err }
		}},
		{"Edges", []string{"src"}, func(s, _, _ *Frame, _ *Plane) ([]*Plane, func() error) {
			return []*Plane{&s.Y}, func() error { return Edges(&s.Y, rows, columns) }
		}},
		{"SquaredError", []string{"a", "b"}, func(
			s, d, _ *Frame, _ *Plane,
		) ([]*Plane, func() error) {
			return []*Plane{&s.Y, &d.Y},
				func() error { _, err := SquaredError(&s.Y, &d.Y); return err }
		}},
		{"Match", []string{"src"}, func(s, _, _ *Frame, _ *Plane) ([]*Plane, func() error) {
			dst := make([]float32, 4)
			return []*Plane{&s.Y},
				func() error { _, err := tmpl.Match(dst, &s.Y, 0, 0, 2, 2); return err }
		}},
		{"NewTemplate", []string{"picture", "mask"}, func(
			_, _, _ *Frame, p *Plane,
		) ([]*Plane, func() error) {
			pic := picture(random(2), p.Width, p.Height, 0)
			mask := picture(random(3), p.Width, p.Height, 0)
			return []*Plane{&pic, &mask},
				func() error { _, err := NewTemplate(&pic, &mask); return err }
		}},
	}
}

// Every plane of every call, changed in every bad way, is refused by name.
func TestBadPlanes(t *testing.T) {
	r := random(33)
	for _, c := range append(frameCalls(t), pictureCalls(t)...) {
		for i, name := range c.names {
			for _, bad := range badPlanes {
				src, dst, small := frame(r, 200, 120, 4), frame(r, 200, 120, 4), frame(r, 100, 60, 4)
				thumb := picture(r, 25, 15, 4)
				planes, run := c.call(&src, &dst, &small, &thumb)
				must(t, run())
				bad.change(planes[i])
				refused(t, c.name+" "+name+" "+bad.what, run(), name)
			}
		}
	}
}

// badCall is what a call with one bad argument returned.
type badCall struct {
	what     string
	err      error
	argument string
}

func refusedAll(t *testing.T, calls []badCall) {
	t.Helper()
	for _, c := range calls {
		refused(t, c.what, c.err, c.argument)
	}
}

func TestBadBlur(t *testing.T) {
	r := random(34)
	src, dst, other := frame(r, 200, 120, 0), frame(r, 200, 120, 0), frame(r, 198, 120, 0)
	alias := src
	shifted := Frame{Y: src.Y.Crop(0, 0, 200, 120), U: dst.U, V: dst.V}
	twice := Frame{Y: dst.Y, U: dst.U, V: dst.U}
	badChroma := src
	badChroma.U = NewPlane(99, 60)
	negative := []Region{{Rect: Rect{W: -1, H: 4}, Size: 4}}
	region := func(effect Effect, size int) []Region {
		return []Region{{Rect: Rect{W: 64, H: 64}, Effect: effect, Size: size}}
	}
	blur := func(d, s *Frame, regions []Region) error { return BlurRegions(d, s, regions, false) }
	refusedAll(t, []badCall{
		{"nil src", blur(&dst, nil, nil), "src"},
		{"nil dst", blur(nil, &src, nil), "dst"},
		{"in place", blur(&alias, &src, nil), "dst.Y"},
		{"one shared plane", blur(&shifted, &src, nil), "dst.Y"},
		{"dst with one plane twice", blur(&twice, &src, nil), "dst.V"},
		{"other size", blur(&other, &src, nil), "dst"},
		{"wrong chroma", blur(&dst, &badChroma, nil), "src.U"},
		{"too many regions", blur(&dst, &src, make([]Region, MaxRegions+1)), "regions"},
		{"box 0", blur(&dst, &src, region(Box, 0)), "regions"},
		{"box 128", blur(&dst, &src, region(Box, 128)), "regions"},
		{"gaussian 32", blur(&dst, &src, region(Gaussian, 32)), "regions"},
		{"gaussian -1", blur(&dst, &src, region(Gaussian, -1)), "regions"},
		{"odd cell", blur(&dst, &src, region(Pixelate, 7)), "regions"},
		{"cell 258", blur(&dst, &src, region(Pixelate, 258)), "regions"},
		{"unknown effect", blur(&dst, &src, region(9, 4)), "regions"},
		{"negative effect", blur(&dst, &src, region(-1, 4)), "regions"},
		{"negative width", blur(&dst, &src, negative), "regions"},
	})
}

func TestBadScale(t *testing.T) {
	r := random(36)
	src, dst, other := frame(r, 200, 120, 0), frame(r, 200, 120, 0), frame(r, 198, 120, 0)
	scaler, err := NewScaler(200, 120, 198, 120)
	must(t, err)
	same, err := NewScaler(200, 120, 200, 120)
	must(t, err)
	shifted := Frame{Y: dst.Y, U: dst.U, V: src.V}
	twice := Frame{Y: dst.Y, U: dst.U, V: dst.U}
	room := frame(r, 200, 240, 0)
	large := Frame{Y: room.Y.Crop(0, 0, 200, 120), U: src.U, V: src.V}
	below := Frame{Y: room.Y.Crop(0, 119, 200, 120), U: dst.U, V: dst.V}
	psnrOf := func(a, b *Frame) error { _, _, err := Psnr(a, b); return err }
	newScaler := func(a, b, c, d int) error { _, err := NewScaler(a, b, c, d); return err }
	refusedAll(t, []badCall{
		{"nil scaler", (*Scaler)(nil).Scale(&dst, &src), "scaler"},
		{"zero scaler", new(Scaler).Scale(&dst, &src), "scaler"},
		{"scaler's dst", scaler.Scale(&dst, &src), "dst"},
		{"scaler's src", scaler.Scale(&other, &other), "src"},
		{"scale nil src", same.Scale(&dst, nil), "src"},
		{"scale nil dst", same.Scale(nil, &src), "dst"},
		{"scale in place", same.Scale(&src, &src), "dst.Y"},
		{"scale onto one plane", same.Scale(&shifted, &src), "dst.V"},
		{"scale onto one plane twice", same.Scale(&twice, &src), "dst.V"},
		{"scale a row down", same.Scale(&below, &large), "dst.Y"},
		{"psnr of nil", psnrOf(nil, &src), "a"},
		{"psnr against nil", psnrOf(&src, nil), "b"},
		{"psnr of sizes", psnrOf(&src, &other), "b"},
		{"scale width 1", newScaler(1, 100, 10, 10), "srcWidth"},
		{"scale to 0", newScaler(100, 100, 10, 0), "dstHeight"},
		{"scale huge", newScaler(100, math.MaxInt, 10, 10), "srcHeight"},
		{"scale 33:1", newScaler(3300, 100, 100, 100), "dstWidth"},
		{"scale negative", newScaler(100, 100, -10, 10), "dstWidth"},
		{"scale to the least", newScaler(100, 100, 10, math.MinInt), "dstHeight"},
	})
}

func TestBadDetection(t *testing.T) {
	r := random(37)
	src, dst, other := frame(r, 200, 120, 0), frame(r, 200, 120, 0), frame(r, 198, 120, 0)
	shared := Plane{Pix: src.Y.Pix, Stride: 25, Width: 25, Height: 15}
	pic, flat := src.Y.Crop(0, 0, 40, 10), NewPlane(40, 10)
	tmpl, err := NewTemplate(&pic, nil)
	must(t, err)
	thumb, four := NewPlane(25, 15), make([]float32, 4)
	match := func(tm *Template, d []float32, p *Plane, x, y, w, h int) error {
		_, err := tm.Match(d, p, x, y, w, h)
		return err
	}
	template := func(p, m *Plane) error { _, err := NewTemplate(p, m); return err }
	diff := func(a, b *Plane, rows, columns []uint32) error {
		_, err := Diff(a, b, rows, columns)
		return err
	}
	squared := func(a, b *Plane) error { _, err := SquaredError(a, b); return err }
	sums, large := make([]uint32, 319), NewPlane(200, 147)
	must(t, template(&src.Y, nil)) // a large one is none
	refusedAll(t, []badCall{
		{"cell of 5", Thumbnail(&thumb, &src.Y, 5), "cell"},
		{"cell of 0", Thumbnail(&thumb, &src.Y, 0), "cell"},
		{"thumbnail's size", Thumbnail(&flat, &src.Y, 8), "dst"},
		{"thumbnail in place", Thumbnail(&shared, &src.Y, 8), "dst"},
		{"thumbnail of nil", Thumbnail(&thumb, nil, 8), "src"},
		{"thumbnail to nil", Thumbnail(nil, &src.Y, 8), "dst"},
		{"strip of nil", Strip(&thumb, nil, 0, 120, 8), "src"},
		{"strip to nil", Strip(nil, &src.Y, 0, 120, 8), "dst"},
		{"strip in place", Strip(&shared, &src.Y, 0, 120, 8), "dst"},
		{"strip of no rows", Strip(&thumb, &src.Y, 0, 0, 8), "top"},
		{"diff of nil", diff(nil, &src.Y, nil, nil), "a"},
		{"diff against nil", diff(&src.Y, nil, nil, nil), "b"},
		{"sums in one memory", diff(&src.Y, &dst.Y, sums[:120], sums[119:]), "columns"},
		{"edge sums in one memory", Edges(&src.Y, sums[199:], sums[:200]), "columns"},
		{"error of nil", squared(nil, &src.Y), "a"},
		{"error against nil", squared(&src.Y, nil), "b"},
		{"error of sizes", squared(&src.Y, &other.Y), "b"},
		{"strip above", Strip(&thumb, &src.Y, -1, 20, 8), "top"},
		{"strip below", Strip(&thumb, &src.Y, 110, 20, 8), "top"},
		{"strip overflow", Strip(&thumb, &src.Y, math.MaxInt, math.MaxInt, 8), "top"},
		{"diff of sizes", diff(&src.Y, &other.Y, nil, nil), "b"},
		{"short rows", diff(&src.Y, &dst.Y, make([]uint32, 119), nil), "rows"},
		{"long columns", diff(&src.Y, &dst.Y, nil, make([]uint32, 201)), "columns"},
		{"edges of nil", Edges(nil, nil, nil), "src"},
		{"edges rows", Edges(&src.Y, []uint32{}, nil), "rows"},
		{"nil template", match(nil, four, &src.Y, 0, 0, 2, 2), "template"},
		{"zero template", match(new(Template), four, &src.Y, 0, 0, 2, 2), "template"},
		{"match in nil", match(tmpl, four, nil, 0, 0, 2, 2), "src"},
		{"match to nil", match(tmpl, nil, &src.Y, 0, 0, 2, 2), "dst"},
		{"match narrower", match(tmpl, four, &thumb, 0, 0, 1, 1), "x"},
		{"negative places", match(tmpl, four, &src.Y, 0, 0, 2, math.MinInt), "x"},
		{"template of nil", template(nil, nil), "picture"},
		{"huge template", template(&large, nil), "picture"},
		{"no places", match(tmpl, four, &src.Y, 0, 0, 0, 2), "x"},
		{"outside left", match(tmpl, four, &src.Y, -1, 0, 2, 2), "x"},
		{"outside right", match(tmpl, four, &src.Y, 160, 0, 2, 2), "x"},
		{"outside below", match(tmpl, four, &src.Y, 0, 110, 2, 2), "x"},
		{"overflow", match(tmpl, four, &src.Y, math.MaxInt, 0, math.MaxInt, 2), "x"},
		{"short dst", match(tmpl, four[:3], &src.Y, 0, 0, 2, 2), "dst"},
		{"no contrast", template(&flat, nil), "picture"},
		{"empty mask", template(&pic, &flat), "picture"},
		{"mask's size", template(&pic, &thumb), "mask"},
	})
}

func TestBadAudio(t *testing.T) {
	k, err := NewKWeighted(48000)
	must(t, err)
	level := func(s Samples[int16]) error { _, err := LevelS16(s); return err }
	levelF := func(s Samples[float32]) error { _, err := LevelF32(s); return err }
	p, f := samples(random(38), 100)
	f32 := func(s Samples[float32]) error { _, err := k.F32(s); return err }
	s16 := func(s Samples[int16]) error { _, err := k.S16(s); return err }
	refusedAll(t, []badCall{
		{"no samples", level(Mono[int16](nil)), "samples"},
		{"no pair", level(Interleaved([]int16{1})), "samples"},
		{"too many samples", level(Mono(make([]int16, MaxSamples+1))), "samples"},
		{"k no samples", f32(Mono[float32](nil)), "samples"},
		{"k s16 no samples", s16(Stereo[int16](nil, nil)), "samples"},
		{"k nil", func() error { _, err := (*KWeighted)(nil).F32(Mono(f)); return err }(), "meter"},
		{"k zero", func() error { _, err := new(KWeighted).F32(Mono(f)); return err }(), "meter"},
		{"k s16 zero", func() error { _, err := new(KWeighted).S16(Mono(p)); return err }(), "meter"},
		{"zero samples", level(Samples[int16]{}), "samples"},
		{"float no samples", levelF(Mono[float32](nil)), "samples"},
		{"float too many", levelF(Mono(make([]float32, MaxSamples+1))), "samples"},
		{"k too many samples", f32(Mono(make([]float32, MaxSamples+1))), "samples"},
		{"k s16 too many", s16(Mono(make([]int16, MaxSamples+1))), "samples"},
		{"negative rate", func() error { _, err := NewKWeighted(-48000); return err }(), "rate"},
		{"rate", func() error { _, err := NewKWeighted(0); return err }(), "rate"},
	})
}

// Rectangles at the ends of the integers are clipped, not overflowed.
func TestRegionsFarOutside(t *testing.T) {
	r := random(35)
	src, dst := frame(r, 100, 80, 0), frame(r, 100, 80, 0)
	before := cloneFrame(&dst)
	for _, rect := range []Rect{
		{X: math.MinInt, Y: 0, W: math.MaxInt, H: 10},
		{X: math.MaxInt, Y: 0, W: math.MaxInt, H: 10},
		{X: 0, Y: math.MaxInt, W: 1, H: math.MaxInt},
		{X: -10, Y: 0, W: 10, H: 80},
		{X: 100, Y: 0, W: 10, H: 80},
		{X: 0, Y: 0, W: 0, H: 80},
		{X: 5, Y: 5, W: 5, H: 0},
	} {
		must(t, BlurRegions(&dst, &src, []Region{{Rect: rect, Effect: Solid}}, false))
		sameFrame(t, "untouched", &dst, &before)
	}
	all := Rect{X: -1, Y: -1, W: math.MaxInt, H: math.MaxInt}
	must(t, BlurRegions(&dst, &src, []Region{{Rect: all, Effect: Solid, Luma: 7}}, false))
	for i, v := range dst.Y.Pix {
		if v != 7 {
			t.Fatalf("pixel %d is %d", i, v)
		}
	}
}

// Samples that are not numbers may give any meter, but no crash.
func TestNotFinite(t *testing.T) {
	p := make([]float32, 1000)
	for i := range p {
		p[i] = float32(math.Inf(i%2*2 - 1))
		if i%3 == 0 {
			p[i] = float32(math.NaN())
		}
	}
	_, err := LevelF32(Interleaved(p))
	must(t, err)
	k, err := NewKWeighted(48000)
	must(t, err)
	_, err = k.F32(Mono(p))
	must(t, err)
}
