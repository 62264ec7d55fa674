package reference

import "math"

// Thumbnail writes the rounded mean of cells of n by n pixels of in.
func Thumbnail(out, in *Plane, n int) {
	for y := range out.Height {
		o := out.Row(y)
		for x := range o {
			var s uint32
			for j := range n {
				for _, v := range in.Row(y*n + j)[x*n:][:n] {
					s += uint32(v)
				}
			}
			o[x] = byte((s + uint32(n*n/2)) / uint32(n*n))
		}
	}
}

func distance(a, b byte) uint32 {
	if a > b {
		return uint32(a - b)
	}
	return uint32(b - a)
}

// Diff sums |a-b| by row and by column and returns the sums of |a-b| and of a. rows and columns may
// be nil.
func Diff(a, b *Plane, rows, columns []uint32) (sad, sum uint64) {
	clear(columns)
	for y := range a.Height {
		p, q := a.Row(y), b.Row(y)
		var s, m uint32
		if columns == nil {
			for x, v := range p {
				s += distance(v, q[x])
				m += uint32(v)
			}
		} else {
			for x, v := range p {
				d := distance(v, q[x])
				s += d
				m += uint32(v)
				columns[x] += d
			}
		}
		if rows != nil {
			rows[y] = s
		}
		sad, sum = sad+uint64(s), sum+uint64(m)
	}
	return sad, sum
}

// Edges sums the vertical gradient |p(x,y+1)-p(x,y)| by row and the horizontal gradient
// |p(x+1,y)-p(x,y)| by column; the last row and column are 0. rows and columns may be nil.
func Edges(in *Plane, rows, columns []uint32) {
	clear(rows)
	clear(columns)
	for y := range in.Height {
		p := in.Row(y)
		if rows != nil && y+1 < in.Height {
			q := in.Row(y + 1)
			for x, v := range p {
				rows[y] += distance(v, q[x])
			}
		}
		for x := 0; columns != nil && x+1 < len(p); x++ {
			columns[x] += distance(p[x+1], p[x])
		}
	}
}

// SquaredError returns the sum of (a-b)^2.
func SquaredError(a, b *Plane) uint64 {
	var sum uint64
	for y := range a.Height {
		p, q := a.Row(y), b.Row(y)
		for x, v := range p {
			d := int32(v) - int32(q[x])
			sum += uint64(d * d)
		}
	}
	return sum
}

// Template is a picture prepared for Match: the picture less its mean under the mask, and the mask,
// 0 or -1, both padded with zeros to Padded columns, a multiple of 32.
type Template struct {
	Pixels, Mask          []int16
	Width, Height, Padded int
	Count                 float64 // pixels under the mask
	Energy                float64 // sum of the squares of Pixels, less what the rounded mean adds
	Bias                  float64 // sum of Pixels
}

// NewTemplate prepares p; mask is nil or a plane of p's size, not zero where p counts.
func NewTemplate(p, mask *Plane) *Template {
	w := (p.Width + 31) &^ 31
	t := &Template{
		Pixels: make([]int16, w*p.Height), Mask: make([]int16, w*p.Height),
		Width: p.Width, Height: p.Height, Padded: w,
	}
	sum, count := 0, 0
	for y := range p.Height {
		for x, v := range p.Row(y) {
			if mask == nil || mask.Row(y)[x] != 0 {
				t.Mask[y*w+x] = -1
				sum += int(v)
				count++
			}
		}
	}
	if count == 0 {
		return t
	}
	mean := int(math.Round(float64(sum) / float64(count)))
	var squares int
	for y := range p.Height {
		for x, v := range p.Row(y) {
			if t.Mask[y*w+x] != 0 {
				d := int(v) - mean
				t.Pixels[y*w+x] = int16(d)
				squares += d * d
			}
		}
	}
	// The mean is rounded to keep the products in integers; its remainder is put right at the end.
	bias := sum - mean*count
	t.Count, t.Bias = float64(count), float64(bias)
	t.Energy = float64(squares) - float64(bias)*float64(bias)/float64(count)
	return t
}

// Match writes the correlation, -1 to 1, of t with the window of in whose corner is at (x, y), for
// every x under w and y under h: out[y*w+x]. A window or template without contrast gives 0.
func Match(out []float32, in *Plane, t *Template, w, h int) {
	for y := range h {
		for x := range w {
			var it, s1, s2 int32
			for j := range t.Height {
				row := in.Row(y + j)[x:][:t.Width]
				px, mask := t.Pixels[j*t.Padded:][:t.Width], t.Mask[j*t.Padded:][:t.Width]
				for i, v := range row {
					p := int32(v)
					m := p & int32(mask[i])
					it += p * int32(px[i])
					s1 += m
					s2 += m * m
				}
			}
			out[y*w+x] = t.Correlation(it, s1, s2)
		}
	}
}

// Correlation finishes the sums of one place: of pixels times template, pixels, squared pixels.
func (t *Template) Correlation(it, s1, s2 int32) float32 {
	if t.Count == 0 {
		return 0
	}
	mean := float64(s1) / t.Count
	variance := float64(s2) - float64(s1)*mean
	if variance <= 0.5 || t.Energy <= 0.5 {
		return 0
	}
	return float32((float64(it) - t.Bias*mean) / math.Sqrt(variance*t.Energy))
}
