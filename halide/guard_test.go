package halide

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
)

// A guard is memory between two pages that cannot be touched: a kernel that reads or writes outside
// a plane ends the test program. Wild accesses by compiled kernels are invisible to -race and to
// the Go heap, whatever the level.
type guard struct {
	room []byte
	body []byte
}

const page = 4096

func newGuard(t testing.TB, pages int) *guard {
	t.Helper()
	room, err := syscall.Mmap(-1, 0, (pages+2)*page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	must(t, err)
	must(t, syscall.Mprotect(room[:page], syscall.PROT_NONE))
	must(t, syscall.Mprotect(room[(pages+1)*page:], syscall.PROT_NONE))
	t.Cleanup(func() { _ = syscall.Munmap(room) })
	return &guard{room: room, body: room[page : (pages+1)*page]}
}

// plane moves p's content into the guard: against its end, or its start.
func (g *guard) plane(p Plane, end bool) Plane {
	at := 0
	if end {
		at = len(g.body) - len(p.Pix)
	}
	copy(g.body[at:], p.Pix)
	p.Pix = g.body[at:][:len(p.Pix):len(p.Pix)]
	return p
}

// guards serve the six planes of a source and a destination.
type guards [6]*guard

func newGuards(t testing.TB, pages int) *guards {
	var g guards
	for i := range g {
		g[i] = newGuard(t, pages)
	}
	return &g
}

func (g *guards) frame(r *rand.Rand, at, w, h, pad int, end bool) Frame {
	f := frame(r, w, h, pad)
	return Frame{Y: g[at].plane(f.Y, end), U: g[at+1].plane(f.U, end), V: g[at+2].plane(f.V, end)}
}

func TestNoAccessOutsideMemory(t *testing.T) {
	r := random(30)
	g := newGuards(t, 96)
	for n := range 400 {
		w, h, pad, end := 1+r.IntN(300), 1+r.IntN(100), r.IntN(4), n%2 == 0
		src, dst := g.frame(r, 0, w, h, pad, end), g.frame(r, 3, w, h, r.IntN(3), end)
		region := effects[n%len(effects)]
		region.Rect = Rect{X: -1, Y: -1, W: w + 2, H: h + 2}
		must(t, BlurRegions(&dst, &src, []Region{region}, n%3 == 0))
		rows, columns := make([]uint32, h), make([]uint32, w)
		must(t, Edges(&src.Y, rows, columns))
		_, err := Diff(&src.Y, &dst.Y, rows, columns)
		must(t, err)
		_, err = SquaredError(&src.Y, &dst.Y)
		must(t, err)
		if cell := 4 << (n % 3); w >= cell && h >= cell {
			small := g[3].plane(NewPlane(w/cell, h/cell), end)
			must(t, Thumbnail(&small, &src.Y, cell))
		}
	}
}

func TestScaleNoAccessOutsideMemory(t *testing.T) {
	r := random(31)
	g := newGuards(t, 96)
	for n := range 300 {
		w, h := 130+r.IntN(400), 2+r.IntN(120)
		q := [][2]int{{2, 1}, {3, 2}, {4, 3}, {3, 1}, {7, 5}, {5, 1}, {4, 5}}[n%7]
		ow, oh := max(2, w*q[1]/q[0]), max(2, h*q[1]/q[0])
		s, err := NewScaler(w, h, ow, oh)
		must(t, err)
		end := n%2 == 0
		src, dst := g.frame(r, 0, w, h, r.IntN(3), end), g.frame(r, 3, ow, oh, r.IntN(3), end)
		if err := s.Scale(&dst, &src); err != nil {
			t.Fatal(fmt.Errorf("%dx%d to %dx%d: %w", w, h, ow, oh, err))
		}
	}
}

func TestMatchNoAccessOutsideMemory(t *testing.T) {
	r := random(32)
	g := newGuards(t, 8)
	for n := range 200 {
		tw, th, w, h := 2+r.IntN(70), 1+r.IntN(20), 1+r.IntN(9), 1+r.IntN(9)
		picture := picture(r, tw, th, 0)
		picture.Pix[0], picture.Pix[1] = 0, 255
		tmpl, err := NewTemplate(&picture, nil)
		must(t, err)
		p := NewPlane(w+tw-1, h+th-1)
		src := g[0].plane(p, n%2 == 0)
		if _, err := tmpl.Match(make([]float32, w*h), &src, 0, 0, w, h); err != nil {
			t.Fatal(err)
		}
	}
}
