//go:build cgo

package av

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestPool(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 5}, {17, 1}, {720, 1280}, {1919, 1079}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			p, err := NewPool(size[0], size[1], 2)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			f, err := p.Get()
			if err != nil {
				t.Fatal(err)
			}
			if w, h := f.Size(); w != size[0] || h != size[1] || f.Corrupt() {
				t.Errorf("%dx%d, corrupt %v", w, h, f.Corrupt())
			}
			for i, black := range [...]byte{16, 128, 128} {
				pix, stride := f.Plane(i)
				w, h := (size[0]+min(i, 1))>>min(i, 1), (size[1]+min(i, 1))>>min(i, 1)
				if len(pix) != stride*(h-1)+w || stride%64 != 0 {
					t.Fatalf("plane %d: %d bytes at stride %d", i, len(pix), stride)
				}
				for j := range pix {
					if pix[j] != black {
						t.Fatalf("plane %d is not black: %d", i, pix[j])
					}
					pix[j] = 77
				}
			}
			f.Release()
		})
	}
	for _, n := range [][3]int{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {16385, 1, 1}, {1, 1 << 40, 1}} {
		if _, err := NewPool(n[0], n[1], n[2]); !errors.Is(err, ErrOption) {
			t.Errorf("%v: %v", n, err)
		}
	}
}

func TestPoolIsBounded(t *testing.T) {
	before := live()
	p, err := NewPool(64, 64, 2)
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.Get()
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Get()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Get(); !errors.Is(err, ErrExhausted) {
		t.Errorf("a third: %v", err)
	}
	a.Retain().Release()
	if _, err := p.Get(); !errors.Is(err, ErrExhausted) {
		t.Errorf("while one is retained: %v", err)
	}
	a.Release()
	c, err := p.Get()
	if err != nil || c != a {
		t.Errorf("the one that came back: %v", err)
	}
	c.Release()
	p.Close()
	p.Close()
	if _, err := p.Get(); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	pix, _ := b.Plane(0)
	pix[0] = 1 // what is out stays valid
	b.Release()
	if live() != before {
		t.Errorf("%v live, %v before", live(), before)
	}
}

// TestFramesOutliveTheirDecoder also shares them between goroutines.
func TestFramesOutliveTheirDecoder(t *testing.T) {
	before := live()
	c := pattern(t, 64, 64, 6, "-preset ultrafast -g 3")
	want := expected(t, c.file)
	record, pictures := c.video()
	d, err := NewDecoder(record, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var held []*Frame
	for _, u := range pictures {
		err := d.Decode(u.data, u.pts, u.dts, func(f *Frame) error {
			held = append(held, f)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.Close()
	d.Close()
	var group sync.WaitGroup
	for i, f := range held {
		for range 4 {
			f.Retain()
			group.Go(func() {
				defer f.Release()
				if digest(f) != want[i] {
					t.Errorf("frame %d changed", i)
				}
			})
		}
		f.Release()
	}
	group.Wait()
	if len(held) != len(want) || live() != before {
		t.Errorf("%d frames of %d; %v live, %v before", len(held), len(want), live(), before)
	}
}

func TestReleaseTwicePanics(t *testing.T) {
	p, err := NewPool(16, 16, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f, err := p.Get()
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	for name, do := range map[string]func(){
		"Release": f.Release, "Retain": func() { f.Retain() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of a released frame went unnoticed", name)
				}
			}()
			do()
		}()
	}
}

// live is what Live returns, to compare.
func live() [2]int {
	codecs, frames := Live()
	return [2]int{codecs, frames}
}
