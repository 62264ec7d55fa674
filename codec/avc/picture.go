package avc

import "fmt"

// Picture is what an SPS says of the pictures that refer to it.
type Picture struct {
	// Width and Height are in pixels, after cropping.
	Width, Height int
	// CodedWidth and CodedHeight are what a decoder allocates, before cropping.
	CodedWidth, CodedHeight int
	// Chroma is the chroma_format_idc: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
	Chroma int
	// Depth is the greater of the bit depths of luma and chroma.
	Depth int
}

// ParsePicture reads an SPS, a NAL unit without a length.
func ParsePicture(sps []byte) (Picture, error) {
	s, err := parseSPS(sps)
	if err != nil {
		return Picture{}, err
	}
	// Table 6-1 and 7.4.2.1.1: there is no chroma format above 3, and no depth above 14.
	excess := max(s.BitDepthLumaMinus8, s.BitDepthChromaMinus8)
	if s.ChromaFormatIdc > 3 || excess > 6 {
		return Picture{}, fmt.Errorf("%w: chroma format %d, %d bits above 8",
			ErrInvalid, s.ChromaFormatIdc, excess)
	}
	w, h, err := size(s)
	if err != nil {
		return Picture{}, err
	}
	cw, ch := codedSize(s)
	return Picture{
		Width: w, Height: h, CodedWidth: int(cw), CodedHeight: int(ch),
		Chroma: int(s.ChromaFormatIdc), Depth: 8 + int(excess),
	}, nil
}
