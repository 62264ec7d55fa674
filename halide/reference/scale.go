package reference

import "math"

// ScaleFixed scales by the mean of the area, num input pixels to den outputs along each axis, for
// 2:1, 3:2 and 3:1. Pixels beyond the right and bottom edges repeat the edge; pixels that out
// has no room for are dropped.
func ScaleFixed(out, in *Plane, num, den int) {
	reach := 2
	if den == 1 {
		reach = num
	}
	total := uint32(num * num)
	row := make([]uint32, in.Width)
	for y := range out.Height {
		clear(row)
		for j := range reach {
			src := in.Row(min(y/den*num+y%den+j, in.Height-1))
			weight := fixedWeight(num, den, y%den, j)
			for x, v := range src {
				row[x] += weight * uint32(v)
			}
		}
		o := out.Row(y)
		for x := range o {
			at, sum := x/den*num+x%den, total/2
			for i := range reach {
				sum += fixedWeight(num, den, x%den, i) * row[min(at+i, in.Width-1)]
			}
			o[x] = byte(sum / total)
		}
	}
}

// fixedWeight is the share, in 1/num of an output pixel, of its i-th input pixel.
func fixedWeight(num, den, phase, i int) uint32 {
	if den == 1 {
		return 1
	}
	if i == 0 {
		return uint32(num - 1 - phase)
	}
	return uint32(phase + 1)
}

// ScaleQuarters scales 4:3 by the mean of the area, in quarters made of averages of averages, which
// round up along y and down along x. Edges are those of ScaleFixed.
func ScaleQuarters(out, in *Plane) {
	row := make([]byte, in.Width)
	for y := range out.Height {
		at := y/3*4 + y%3
		a, b := in.Row(min(at, in.Height-1)), in.Row(min(at+1, in.Height-1))
		for x := range row {
			row[x] = ^quarters(a[x], b[x], y%3)
		}
		o := out.Row(y)
		for x := range o {
			at := x/3*4 + x%3
			o[x] = ^quarters(row[min(at, in.Width-1)], row[min(at+1, in.Width-1)], x%3)
		}
	}
}

// quarters mixes a and b as 3:1, 2:2 or 1:3.
func quarters(a, b byte, phase int) byte {
	m := (uint32(a) + uint32(b) + 1) >> 1
	near := [3]uint32{uint32(a), m, uint32(b)}[phase]
	return byte((m + near + 1) >> 1)
}

// Half is ScaleFixed for 2:1 in one pass, for planes that need no edge.
func Half(out, in *Plane) {
	for y := range out.Height {
		a, b, o := in.Row(2*y), in.Row(2*y+1), out.Row(y)
		a, b = a[:2*len(o)], b[:2*len(o)]
		for x := range o {
			o[x] = byte((uint32(a[2*x]) + uint32(a[2*x+1]) + uint32(b[2*x]) + uint32(b[2*x+1]) + 2) >> 2)
		}
	}
}

// Tables are the taps of one axis: output i is the sum over t < Taps of input First[i]+t times
// Weights at i and t, in 1.14 fixed point. Taps is even.
type Tables struct {
	First   []int32
	Weights [][]int16
	Taps    int
}

// Taps returns how many taps an axis needs: two (bilinear) up to a ratio of 2, the covered area
// beyond, rounded up to even.
func Taps(in, out int) int {
	if in <= 2*out {
		return 2
	}
	return ((in+out-1)/out + 2) &^ 1
}

// NewTables returns the taps that scale in pixels to out. No tap lies outside the input as long as
// the input has at least taps pixels.
func NewTables(in, out, taps int) Tables {
	t := Tables{First: make([]int32, out), Weights: make([][]int16, out), Taps: taps}
	scale := float64(in) / float64(out)
	for i := range out {
		exact := make([]float64, taps)
		first := 0
		if in <= 2*out {
			centre := max(0, (float64(i)+0.5)*scale-0.5)
			left := min(int(centre), max(0, in-2))
			f := min(1, centre-float64(left))
			first = max(0, min(left, in-taps))
			exact[left-first], exact[left-first+1] = 1-f, f
		} else {
			from, to := float64(i)*scale, float64(i+1)*scale
			first = max(0, min(int(from), in-taps))
			for k := range exact {
				p := float64(first + k)
				exact[k] = max(0, min(to, p+1)-max(from, p)) / scale
			}
		}
		t.First[i], t.Weights[i] = int32(first), fixedPoint(exact)
	}
	return t
}

// fixedPoint rounds weights to 1.14 and gives what rounding lost to the largest.
func fixedPoint(exact []float64) []int16 {
	w := make([]int16, len(exact))
	sum, largest := 0, 0
	for k, f := range exact {
		w[k] = int16(math.Round(f * (1 << 14)))
		sum += int(w[k])
		if w[k] > w[largest] {
			largest = k
		}
	}
	w[largest] += int16(1<<14 - sum)
	return w
}

// ScaleTables scales by tables, along y to 15 bits and then along x.
func ScaleTables(out, in *Plane, x, y *Tables) {
	row := make([]int32, in.Width)
	for j := range out.Height {
		for i := range row {
			sum := int32(64)
			for t, w := range y.Weights[j] {
				sum += int32(w) * int32(in.Pix[min(int(y.First[j])+t, in.Height-1)*in.Stride+i])
			}
			row[i] = sum >> 7
		}
		o := out.Row(j)
		for i := range o {
			sum := int32(1 << 20)
			for t, w := range x.Weights[i] {
				sum += int32(w) * row[min(int(x.First[i])+t, in.Width-1)]
			}
			o[i] = byte(max(0, min(sum>>21, 255)))
		}
	}
}
