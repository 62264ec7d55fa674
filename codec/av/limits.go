package av

import "github.com/headwater-live/headwater/codec/avc"

// Limits bound a decoder's pictures, after cropping. A zero field stands for its default: 4096
// wide, 4096 high, 4096*2304 pixels.
type Limits struct{ Width, Height, Pixels int }

// maxCrop is how much of a side may be cropped: encoders align to 16, 32 or 64. What is cropped is
// allocated too, so more would be a way around Limits.
const maxCrop = 64

func (l Limits) orDefault() Limits {
	if l.Width <= 0 {
		l.Width = 4096
	}
	if l.Height <= 0 {
		l.Height = 4096
	}
	if l.Pixels <= 0 {
		l.Pixels = 4096 * 2304
	}
	return l
}

// checkSize holds a picture's size to the limits.
func (l Limits) checkSize(call string, width, height int) error {
	if width < 1 || height < 1 || width > l.Width || height > l.Height ||
		width*height > l.Pixels {
		return refuse(ErrLimit, call, "picture of %dx%d, at most %dx%d and %d pixels",
			width, height, l.Width, l.Height, l.Pixels)
	}
	return nil
}

// checkPicture holds what an SPS announces to the limits and to what we handle.
func (l Limits) checkPicture(call string, p avc.Picture) error {
	if p.Chroma != 1 || p.Depth != 8 {
		return refuse(ErrFormat, call, "%s of %d bits, want 4:2:0 of 8 bits",
			[...]string{"monochrome", "4:2:0", "4:2:2", "4:4:4"}[p.Chroma], p.Depth)
	}
	if p.CodedWidth-p.Width > maxCrop || p.CodedHeight-p.Height > maxCrop {
		return refuse(ErrLimit, call, "picture of %dx%d cropped from %dx%d, at most %d a side",
			p.Width, p.Height, p.CodedWidth, p.CodedHeight, maxCrop)
	}
	return l.checkSize(call, p.Width, p.Height)
}
