package process

import (
	"math"
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/halide"
)

// font is letters of five by seven pixels, a row after the other.
var font = map[byte][7]string{
	'A': {".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"},
	'B': {"####.", "#...#", "#...#", "####.", "#...#", "#...#", "####."},
	'C': {".####", "#....", "#....", "#....", "#....", "#....", ".####"},
	'D': {"####.", "#...#", "#...#", "#...#", "#...#", "#...#", "####."},
	'E': {"#####", "#....", "#....", "####.", "#....", "#....", "#####"},
	'H': {"#...#", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"},
	'I': {".###.", "..#..", "..#..", "..#..", "..#..", "..#..", ".###."},
	'K': {"#...#", "#..#.", "#.#..", "##...", "#.#..", "#..#.", "#...#"},
	'L': {"#....", "#....", "#....", "#....", "#....", "#....", "#####"},
	'M': {"#...#", "##.##", "#.#.#", "#.#.#", "#...#", "#...#", "#...#"},
	'N': {"#...#", "##..#", "#.#.#", "#..##", "#...#", "#...#", "#...#"},
	'O': {".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."},
	'P': {"####.", "#...#", "#...#", "####.", "#....", "#....", "#...."},
	'R': {"####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"},
	'S': {".####", "#....", "#....", ".###.", "....#", "....#", "####."},
	'T': {"#####", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."},
	'U': {"#...#", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."},
	'X': {"#...#", "#...#", ".#.#.", "..#..", ".#.#.", "#...#", "#...#"},
	'0': {".###.", "#..##", "#.#.#", "#.#.#", "#.#.#", "##..#", ".###."},
	'1': {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."},
	'2': {"####.", "....#", "....#", ".###.", "#....", "#....", "#####"},
	'4': {"#..#.", "#..#.", "#..#.", "#####", "...#.", "...#.", "...#."},
	'7': {"#####", "....#", "...#.", "..#..", "..#..", ".#...", ".#..."},
}

// dot is a pixel of a letter: dark on light.
func dot(letter byte, x, y int) byte {
	if x < 5 && y < 7 && font[letter][y][x] == '#' {
		return 30
	}
	return 220
}

// page writes letters over a plane, each dot of the font a square of scale pixels, a letter every
// six dots and a line every nine.
func page(p *halide.Plane, scale int) (letters []byte) {
	alphabet := alphabet()
	columns := p.Width / (6 * scale)
	for i := range columns * (p.Height / (9 * scale)) {
		letters = append(letters, alphabet[(i*i*7+i*3)%len(alphabet)])
	}
	for y := range p.Height {
		row := p.Row(y)
		for x := range row {
			i := y/(9*scale)*columns + x/(6*scale)
			row[x] = 220
			if x/(6*scale) < columns && i < len(letters) {
				row[x] = dot(letters[i], x/scale%6, y/scale%9)
			}
		}
	}
	return letters
}

func alphabet() (all []byte) {
	for c := range byte(128) {
		if _, ok := font[c]; ok {
			all = append(all, c)
		}
	}
	return all
}

// read is the share of a page's letters that can be told by their shapes, whatever contrast is left
// of them. It reads some eighty of them.
func read(p *halide.Plane, scale int, letters []byte) float64 {
	columns := p.Width / (6 * scale)
	n, right := 0, 0
	for i := 0; i < len(letters); i += max(1, len(letters)/80) {
		x, y := i%columns*6*scale, i/columns*9*scale
		best, most := byte('?'), -2.0
		for _, c := range alphabet() {
			if likeness := alike(p, x, y, scale, c); likeness > most {
				best, most = c, likeness
			}
		}
		n++
		if best == letters[i] {
			right++
		}
	}
	return float64(right) / float64(n)
}

// alike is the correlation of a place in the picture with a letter.
func alike(p *halide.Plane, x0, y0, scale int, letter byte) float64 {
	var n, sumP, sumQ, sumPP, sumQQ, sumPQ float64
	for y := range 7 * scale {
		row := p.Row(y0 + y)[x0:]
		for x := range 5 * scale {
			a, b := float64(row[x]), float64(dot(letter, x/scale, y/scale))
			n++
			sumP += a
			sumQ += b
			sumPP += a * a
			sumQQ += b * b
			sumPQ += a * b
		}
	}
	cov, varP, varQ := n*sumPQ-sumP*sumQ, n*sumPP-sumP*sumP, n*sumQQ-sumQ*sumQ
	if varP <= 0 || varQ <= 0 {
		return -1
	}
	return cov / (math.Sqrt(varP) * math.Sqrt(varQ))
}

// Text cannot be read in any mode: a reader that knows font, size and place, and needs no contrast,
// guesses. The sizes of the letters are up to a twenty-fifth of the picture's longer side.
func TestTextIsUnreadable(t *testing.T) {
	for _, in := range []size{{360, 640}, {1280, 720}, {1080, 1920}} {
		pool, err := av.NewPool(in.w, in.h, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		frame, err := pool.Get()
		if err != nil {
			t.Fatal(err)
		}
		defer frame.Release()
		v := view(frame, in)
		for _, part := range []int{70, 40, 25} {
			scale := max(1, max(in.w, in.h)/part/7)
			want := page(&v.Y, scale)
			if right := read(&v.Y, scale, want); right < 1 {
				t.Fatalf("the reader reads %.2f of clear text", right)
			}
			for _, mode := range []settings.Mode{settings.Pixelate, settings.Box, settings.Gaussian} {
				f := filters{blur: halide.BlurRegions}
				o := Order{Mode: mode, Regions: []settings.Rect{{W: 1, H: 1}}}
				out, _, err := f.apply(frame, &o)
				if err != nil {
					t.Fatal(err)
				}
				blurred := view(out, in)
				right := read(&blurred.Y, scale, want)
				t.Logf("%dx%d, letters of %d, %v: %.2f are read", in.w, in.h, 7*scale, mode,
					right)
				if right > 0.25 {
					t.Errorf("%dx%d, letters of %d, %v: %.2f are read", in.w, in.h, 7*scale, mode, right)
				}
				out.Release()
				f.close()
			}
		}
	}
}
