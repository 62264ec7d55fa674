package halide

import (
	"bytes"
	"errors"
	"testing"
	"unsafe"
)

// wild makes a plane of numbers that nobody has looked at. Where small has a bit, the number is
// folded into what a plane may have, so that good planes come up too.
func wild(room []byte, w, h, stride, at, size int, small uint8) Plane {
	if small&1 != 0 {
		w = extent(uint16(w), 300)
	}
	if small&2 != 0 {
		h = extent(uint16(h), 60)
	}
	if small&4 != 0 && w > 0 && w < MaxExtent {
		stride = w + int(uint16(stride))%200
	}
	from := int(uint32(at)) % len(room)
	to := from + int(uint32(size))%(len(room)-from+1)
	if small&8 != 0 {
		from, to = 0, len(room)
	}
	if small&16 != 0 {
		return Plane{Stride: stride, Width: w, Height: h}
	}
	return Plane{Pix: room[from:to:to], Stride: stride, Width: w, Height: h}
}

// good tells, in another way than checkPlane, whether a plane lies in its memory. Its numbers may
// be so large that products of them mean nothing.
func good(p *Plane) bool {
	if min(p.Width, p.Height) < 1 || max(p.Width, p.Height) > MaxExtent || p.Stride < p.Width {
		return false
	}
	rest := len(p.Pix) - p.Width
	return rest >= 0 && (p.Height == 1 || p.Stride <= rest/(p.Height-1)) && p.Stride <= 4*MaxExtent
}

// FuzzPlanes gives every function two planes with any numbers and in one memory. Each refuses them
// by an ArgumentError or does its work inside them.
func FuzzPlanes(f *testing.F) {
	f.Add(uint64(1), uint8(0xf), 200, 60, 208, 0, 0, uint8(7), 200, 60, 208, 20000, 20000)
	f.Add(uint64(2), uint8(0xf), 160, 48, 160, 0, 0, uint8(7), 20, 6, 20, 30000, 9000)
	f.Add(uint64(3), uint8(0xe), -1, 48, 160, 0, 0, uint8(0xb), 1<<40, 6, 20, 0, 0)
	f.Add(uint64(4), uint8(0x6), 100, 20, 100, 0, 1900, uint8(7), 100, 20, 100, 1, 4000)
	f.Fuzz(func(t *testing.T, seed uint64, smallA uint8, aw, ah, as, aat, asize int, smallB uint8,
		bw, bh, bs, bat, bsize int,
	) {
		room := make([]byte, 64<<10)
		for r, i := random(seed), 0; i < len(room); i++ {
			room[i] = byte(r.Uint32())
		}
		before := bytes.Clone(room)
		a := wild(room, aw, ah, as, aat, asize, smallA)
		b := wild(room, bw, bh, bs, bat, bsize, smallB)
		looks(t, &a, &b, bat%8, bsize%8)
		if !bytes.Equal(room, before) {
			t.Fatal("something that only looks has written")
		}
		writes(t, &a, &b)
		from := len(room)
		if len(b.Pix) > 0 {
			from = int(uintptr(unsafe.Pointer(&b.Pix[0])) - uintptr(unsafe.Pointer(&room[0])))
		}
		to := from + len(b.Pix)
		if !bytes.Equal(room[:from], before[:from]) || !bytes.Equal(room[to:], before[to:]) {
			t.Fatalf("%v and %v: something is written outside", header(&a), header(&b))
		}
	})
}

// judge fails the test unless err is nil and every plane good, or err an ArgumentError.
func judge(t *testing.T, what string, err error, planes ...*Plane) {
	t.Helper()
	var wrong *ArgumentError
	if err != nil && !errors.As(err, &wrong) {
		t.Fatalf("%s: %v", what, err)
	}
	for _, p := range planes {
		if err == nil && !good(p) {
			t.Fatalf("%s takes %v", what, header(p))
		}
	}
}

// header is a plane without its pixels.
func header(p *Plane) [4]int { return [4]int{len(p.Pix), p.Stride, p.Width, p.Height} }

// looks calls what only reads its planes.
func looks(t *testing.T, a, b *Plane, x, y int) {
	t.Helper()
	_, err := Diff(a, b, nil, nil)
	judge(t, "Diff", err, a, b)
	_, err = SquaredError(a, b)
	judge(t, "SquaredError", err, a, b)
	judge(t, "Edges", Edges(a, nil, nil), a)
	tmpl, err := NewTemplate(b, nil)
	judge(t, "NewTemplate", err, b)
	if err == nil {
		_, err = tmpl.Match(make([]float32, 6), a, x, y, 3, 2)
		judge(t, "Match", err, a)
	}
}

// writes calls what writes b.
func writes(t *testing.T, a, b *Plane) {
	t.Helper()
	judge(t, "Thumbnail", Thumbnail(b, a, 8), a, b)
	judge(t, "Strip", Strip(b, a, b.Stride, b.Height, 4), a, b)
	around := func(p *Plane) *Frame { // with chroma that fits, if anything does
		w, h := 1, 1
		if good(p) {
			w, h = (p.Width+1)/2, (p.Height+1)/2
		}
		return &Frame{Y: *p, U: NewPlane(w, h), V: NewPlane(w, h)}
	}
	src, dst := around(a), around(b)
	for i := range src.U.Pix {
		src.U.Pix[i], src.V.Pix[i] = byte(i), byte(i*7)
	}
	regions := []Region{{Rect: Rect{X: b.Stride % 99, W: b.Height, H: 9}, Size: 5}}
	judge(t, "BlurRegions", BlurRegions(dst, src, regions, true), a, b)
	s, err := NewScaler(a.Width, a.Height, b.Width, b.Height)
	judge(t, "NewScaler", err)
	if err == nil {
		judge(t, "Scale", s.Scale(dst, src), a, b)
	}
}
