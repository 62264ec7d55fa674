package halide

import (
	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// MaxTemplate is the most pixels of a template, padding to a multiple of 32 columns included: what
// keeps the sums within 32 bits.
const MaxTemplate = 32768

// Template is a picture prepared for Match. It does not change and may be shared.
type Template struct {
	t *reference.Template
}

// NewTemplate prepares a picture; only the pixels count for which mask, a plane of the same size,
// is not zero (all, if mask is nil). It keeps neither.
func NewTemplate(picture, mask *Plane) (*Template, error) {
	const call = "NewTemplate"
	if err := checkPlane(call, "picture", picture); err != nil {
		return nil, err
	}
	if n := (picture.Width + 31) &^ 31 * picture.Height; n > MaxTemplate {
		return nil, wrong(call, "picture", "%dx%d is %d padded pixels, at most %d", picture.Width,
			picture.Height, n, MaxTemplate)
	}
	if mask != nil {
		if err := checkPlane(call, "mask", mask); err != nil {
			return nil, err
		}
		if err := sameSize(call, "mask", mask, picture); err != nil {
			return nil, err
		}
	}
	t := reference.NewTemplate(picture, mask)
	if t.Count == 0 || t.Energy <= 0.5 {
		return nil, wrong(call, "picture", "no contrast in the %d pixels under the mask", int(t.Count))
	}
	return &Template{t: t}, nil
}

// Size returns the template's width and height.
func (t *Template) Size() (width, height int) { return t.t.Width, t.t.Height }

// Match writes to dst the correlation, -1 to 1 within 1e-6, of the template with the windows of src
// whose corners are the w by h pixels from (x, y): dst[j*w+i] belongs to the corner (x+i, y+j). It
// is zero-mean and normalised, so that neither brightness nor contrast matters; a negative picture
// of the template gives -1, a window without contrast 0. All windows must lie in src. It returns
// the place, in dst, of the largest magnitude.
func (t *Template) Match(dst []float32, src *Plane, x, y, w, h int) (int, error) {
	const call = "Match"
	if t == nil || t.t == nil {
		return 0, wrong(call, "template", "nil")
	}
	if err := checkPlane(call, "src", src); err != nil {
		return 0, err
	}
	tw, th := t.Size()
	if w < 1 || h < 1 || x < 0 || y < 0 || w > src.Width || h > src.Height ||
		x > src.Width-w-tw+1 || y > src.Height-h-th+1 {
		return 0, wrong(call, "x", "%dx%d windows of %dx%d from (%d, %d) in %dx%d", w, h, tw, th, x, y,
			src.Width, src.Height)
	}
	if len(dst) < w*h {
		return 0, wrong(call, "dst", "%d elements for %dx%d places", len(dst), w, h)
	}
	dst = dst[:w*h]
	window := src.Crop(x, y, w+tw-1, h+th-1)
	enter()
	defer leave()
	if err := kernels.Match(dst, &window, t.t, w, h); err != nil {
		return 0, err
	}
	best := 0
	for i, v := range dst {
		if v*v > dst[best]*dst[best] {
			best = i
		}
	}
	return best, nil
}
