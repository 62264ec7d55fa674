package process

import (
	"fmt"

	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/halide"
)

// filters make of a decoded picture the one that is encoded. A decoded picture is never written to:
// the decoder refers to it.
type filters struct {
	blur func(dst, src *halide.Frame, regions []halide.Region, rest bool) error

	order    *Order
	shorter  int // the rendition's Height
	in, out  size
	regions  []halide.Region
	double   bool // they are blurred twice
	unusable bool // the order cannot be carried out: cover everything

	pool     *av.Pool
	scaler   *halide.Scaler
	clear    halide.Frame // the blurred picture before it is scaled
	once     halide.Frame // the regions, blurred once of twice
	src, dst halide.Frame // views, kept so that a call allocates nothing
}

type size struct{ w, h int }

// even is what of a size is encoded.
func (s size) even() size { return size{s.w &^ 1, s.h &^ 1} }

// poolFrames is how many pictures the encoder may be given at a time: it copies what it gets.
const poolFrames = 2

// prepare fits the filters to a picture's size and the order.
func (f *filters) prepare(in size, o *Order) error {
	if in != f.in {
		if err := f.resize(in); err != nil {
			return err
		}
		f.order = nil
	}
	if o == f.order {
		return nil
	}
	f.order = o
	var ok bool
	f.regions, ok = regions(f.regions[:0], o, in.w, in.h)
	f.unusable = !ok
	f.double = double(o.Mode, max(in.w, in.h))
	return nil
}

func (f *filters) resize(in size) error {
	f.close()
	w, h := target(in.w, in.h, f.shorter)
	if w < 2 || h < 2 {
		return fmt.Errorf("a picture of %dx%d is too small to be encoded", in.w, in.h)
	}
	out := size{w, h}
	if out != in.even() {
		scaler, err := halide.NewScaler(in.w, in.h, w, h)
		if err != nil {
			return err
		}
		f.scaler = scaler
	}
	pool, err := av.NewPool(w, h, poolFrames)
	if err != nil {
		return err
	}
	f.pool, f.in, f.out = pool, in, out
	return nil
}

// apply returns the picture to encode, which the caller releases, and whether all of it is covered.
// What cannot be filtered is covered; on an error there is no picture.
func (f *filters) apply(frame *av.Frame, o *Order) (out *av.Frame, masked bool, err error) {
	w, h := frame.Size()
	if err := f.prepare(size{w, h}, o); err != nil {
		return nil, false, err
	}
	if !o.Mask && !f.unusable && len(f.regions) == 0 && f.out == f.in {
		return frame.Retain(), false, nil
	}
	out, err = f.pool.Get()
	if err != nil {
		return nil, false, err
	}
	f.dst = view(out, f.out)
	if !o.Mask && !f.unusable && f.render(frame) == nil {
		return out, false, nil
	}
	cover(&f.dst)
	return out, true, nil
}

// render fills dst with the filtered picture.
func (f *filters) render(frame *av.Frame) error {
	if f.scaler == nil {
		f.src = view(frame, f.out) // without an odd last column or row
		return f.obscure(&f.dst)
	}
	f.src = view(frame, f.in)
	if len(f.regions) == 0 {
		return f.scaler.Scale(&f.dst, &f.src)
	}
	// The blur comes first: a scaler mixes pixels across a region's edge.
	fit(&f.clear, f.in)
	if err := f.obscure(&f.clear); err != nil {
		return err
	}
	return f.scaler.Scale(&f.dst, &f.clear)
}

// obscure writes src with its regions blurred to dst.
func (f *filters) obscure(dst *halide.Frame) error {
	if !f.double {
		return f.blur(dst, &f.src, f.regions, true)
	}
	fit(&f.once, size{f.src.Y.Width, f.src.Y.Height})
	if err := f.blur(&f.once, &f.src, f.regions, false); err != nil {
		return err
	}
	if err := f.blur(dst, &f.src, nil, true); err != nil {
		return err
	}
	return f.blur(dst, &f.once, f.regions, false)
}

// close lets go of what belongs to a size.
func (f *filters) close() {
	if f.pool != nil {
		f.pool.Close()
	}
	f.pool, f.scaler, f.in = nil, nil, size{}
	f.clear, f.once = halide.Frame{}, halide.Frame{}
}

// fit gives a frame memory for a size, unless it has it.
func fit(f *halide.Frame, s size) {
	if f.Y.Width != s.w || f.Y.Height != s.h {
		*f = halide.NewFrame(s.w, s.h)
	}
}

// view is a frame as the kernels see it, or its upper left part.
func view(f *av.Frame, s size) (v halide.Frame) {
	for i, p := range v.Planes() {
		p.Pix, p.Stride = f.Plane(i)
		p.Width, p.Height = s.w, s.h
		if i > 0 {
			p.Width, p.Height = (s.w+1)/2, (s.h+1)/2
		}
	}
	return v
}

// cover makes a picture grey, without any kernel.
func cover(f *halide.Frame) {
	for i, p := range f.Planes() {
		grey := byte(maskChroma)
		if i == 0 {
			grey = maskLuma
		}
		first := p.Row(0)
		for x := range first {
			first[x] = grey
		}
		for y := 1; y < p.Height; y++ {
			copy(p.Row(y), first)
		}
	}
}
