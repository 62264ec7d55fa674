package reference

// Blur applies regions, already clipped and evened, to src and writes dst. With rest set, what lies
// outside the regions is copied. taps holds 32 bytes of gaussian weights for each radius.
func Blur(dst, src *Frame, regions []Region, rest bool, taps []byte) {
	s, d := src.Planes(), dst.Planes()
	for p := range s {
		if rest {
			for y := range s[p].Height {
				copy(d[p].Row(y), s[p].Row(y))
			}
		}
	}
	for _, r := range regions {
		for p := range s {
			half := min(p, 1)
			x, y := r.Rect.X>>half, r.Rect.Y>>half
			w, h := (r.Rect.W+half)>>half, (r.Rect.H+half)>>half
			in, out := s[p].Crop(x, y, w, h), d[p].Crop(x, y, w, h)
			size := r.Size
			if half == 1 {
				size = (size + 1) / 2
			}
			switch r.Effect {
			case Box:
				BoxBlur(&out, &in, size)
			case Gaussian:
				GaussianBlur(&out, &in, taps[32*size:][:size+1])
			case Pixelate:
				Mosaic(&out, &in, size)
			case Solid:
				fill(&out, [3]byte{r.Luma, r.U, r.V}[p])
			}
		}
	}
}

func fill(p *Plane, v byte) {
	for y := range p.Height {
		row := p.Row(y)
		for x := range row {
			row[x] = v
		}
	}
}

func clampTo(v, hi int) int { return max(0, min(v, hi)) }

// BoxBlur is a running mean of 2r+1 pixels along x and then along y, edges replicated, rounded to
// 8 bits after each by the fixed point product that the kernel uses.
func BoxBlur(out, in *Plane, r int) {
	w, h := in.Width, in.Height
	n := uint32(2*r + 1)
	inverse, half := (65536+uint32(r))/n, uint32(r)
	tmp := make([]byte, w*h)
	for y := range h {
		row, t := in.Row(y), tmp[y*w:][:w]
		var s uint32
		for k := -r; k <= r; k++ {
			s += uint32(row[clampTo(k, w-1)])
		}
		t[0] = byte((s + half) * inverse >> 16)
		for x := 1; x < w; x++ {
			s += uint32(row[min(x+r, w-1)]) - uint32(row[max(x-r-1, 0)])
			t[x] = byte((s + half) * inverse >> 16)
		}
	}
	sums := make([]uint32, w)
	for k := -r; k <= r; k++ {
		for x, v := range tmp[clampTo(k, h-1)*w:][:w] {
			sums[x] += uint32(v)
		}
	}
	for y := range h {
		o := out.Row(y)
		for x, s := range sums {
			o[x] = byte((s + half) * inverse >> 16)
		}
		a, b := tmp[min(y+1+r, h-1)*w:][:w], tmp[max(y-r, 0)*w:][:w]
		for x := range sums {
			sums[x] += uint32(a[x]) - uint32(b[x])
		}
	}
}

// GaussianBlur weighs 2r+1 pixels along x and then along y with symmetric weights, taps[0] at the
// centre, that sum to 256, edges replicated, rounded to 8 bits after each.
func GaussianBlur(out, in *Plane, taps []byte) {
	w, h := in.Width, in.Height
	tmp := make([]byte, w*h)
	for y := range h {
		row := in.Row(y)
		for x := range w {
			s := 128 + uint32(taps[0])*uint32(row[x])
			for k := 1; k < len(taps); k++ {
				s += uint32(taps[k]) * (uint32(row[max(x-k, 0)]) + uint32(row[min(x+k, w-1)]))
			}
			tmp[y*w+x] = byte(s >> 8)
		}
	}
	sums := make([]uint32, w)
	for y := range h {
		for x, v := range tmp[y*w:][:w] {
			sums[x] = 128 + uint32(taps[0])*uint32(v)
		}
		for k := 1; k < len(taps); k++ {
			a, b := tmp[max(y-k, 0)*w:][:w], tmp[min(y+k, h-1)*w:][:w]
			for x := range sums {
				sums[x] += uint32(taps[k]) * (uint32(a[x]) + uint32(b[x]))
			}
		}
		o := out.Row(y)
		for x, s := range sums {
			o[x] = byte(s >> 8)
		}
	}
}

// Mosaic replaces each cell of b by b pixels, from the top left, by its mean. Cells that the right
// or bottom edge cuts take the mean of what they have.
func Mosaic(out, in *Plane, b int) {
	for y := 0; y < in.Height; y += b {
		h := min(b, in.Height-y)
		for x := 0; x < in.Width; x += b {
			w := min(b, in.Width-x)
			var s uint32
			for j := range h {
				for _, v := range in.Row(y + j)[x:][:w] {
					s += uint32(v)
				}
			}
			n := uint32(w * h)
			mean := byte((s + n/2) / n)
			for j := range h {
				o := out.Row(y + j)[x:][:w]
				for i := range o {
					o[i] = mean
				}
			}
		}
	}
}
