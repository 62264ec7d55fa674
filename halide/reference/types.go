package reference

// Plane is a view of 8 bit pixels: row y begins at Pix[y*Stride] and has Width pixels.
type Plane struct {
	Pix           []byte
	Stride        int // bytes from row to row, at least Width
	Width, Height int // pixels, 1 to 16384
}

// NewPlane returns a plane with memory of its own and no padding.
func NewPlane(width, height int) Plane {
	return Plane{Pix: make([]byte, width*height), Stride: width, Width: width, Height: height}
}

// Row returns the pixels of row y.
func (p *Plane) Row(y int) []byte { return p.Pix[y*p.Stride:][:p.Width:p.Width] }

// Crop returns a view of the part of p from (x, y), width by height, which must lie inside p.
func (p *Plane) Crop(x, y, width, height int) Plane {
	end := (y+height-1)*p.Stride + x + width
	return Plane{Pix: p.Pix[y*p.Stride+x : end : end], Stride: p.Stride, Width: width, Height: height}
}

// Frame is an I420 picture: chroma planes are half the size of luma, rounded up.
type Frame struct {
	Y, U, V Plane
}

// NewFrame returns a frame of width by height luma pixels with memory of its own.
func NewFrame(width, height int) Frame {
	w, h := (width+1)/2, (height+1)/2
	return Frame{Y: NewPlane(width, height), U: NewPlane(w, h), V: NewPlane(w, h)}
}

// Planes returns the three planes in order.
func (f *Frame) Planes() [3]*Plane { return [3]*Plane{&f.Y, &f.U, &f.V} }

// Rect is a rectangle of luma pixels; X and Y may be negative.
type Rect struct {
	X, Y, W, H int
}

// Effect is what is done to a region.
type Effect int32

// The effects. Box and Gaussian take a radius, Pixelate the edge of a cell, Solid a colour.
const (
	Box Effect = iota
	Gaussian
	Pixelate
	Solid
)

// String returns the effect's name.
func (e Effect) String() string {
	switch e {
	case Box:
		return "box"
	case Gaussian:
		return "gaussian"
	case Pixelate:
		return "pixelate"
	case Solid:
		return "solid"
	}
	return "unknown"
}

// Region is a rectangle and what happens to it.
type Region struct {
	Rect   Rect
	Effect Effect
	// Size in luma pixels: the radius of Box (1 to 127) or Gaussian (1 to 31, sigma is 0.4 of it),
	// or the edge of a cell of Pixelate (2 to 256, even). Chroma takes half, rounded up.
	Size int
	// The colour of Solid.
	Luma, U, V byte
}

// Meter is what one frame of one channel measures. Full scale is 1.
type Meter struct {
	Squares float64 // sum of the squared samples
	Peak    float64 // largest magnitude
	Clipped int64   // samples at or beyond full scale
}
