package avc

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// maxSide bounds a picture's width and height: level 6.2 allows 16384 and no more.
const maxSide = 16384

// NewConfig makes the record of an encoder's parameter sets, which have no length in front. Profile
// and level are the SPS's; the High profiles get their chroma format and bit depths from it.
// NALULengthSize is 4. The slices are kept, not copied.
func NewConfig(sps, pps []byte) (Config, error) {
	s, err := parseSPS(sps)
	if err != nil {
		return Config{}, err
	}
	if Type(pps) != NALPPS {
		return Config{}, fmt.Errorf("%w: NAL unit type %d, want a PPS", ErrInvalid, Type(pps))
	}
	c := Config{
		Profile: sps[1], Compat: sps[2], Level: sps[3], NALULengthSize: 4,
		SPS: [][]byte{sps}, PPS: [][]byte{pps},
	}
	switch c.Profile {
	case 66, 77, 88: // Baseline, Main and Extended have no such fields.
	default:
		c.Ext = []byte{
			0xfc | byte(s.ChromaFormatIdc&3),
			0xf8 | byte(s.BitDepthLumaMinus8&7),
			0xf8 | byte(s.BitDepthChromaMinus8&7),
			0,
		}
	}
	return c, nil
}

// Size returns the size in pixels, after cropping, of the pictures that the first SPS describes,
// and their rate, or 0 when the SPS does not tell it.
func (c *Config) Size() (width, height int, fps float64, err error) {
	if len(c.SPS) == 0 {
		return 0, 0, 0, fmt.Errorf("%w: no SPS", ErrInvalid)
	}
	s, err := parseSPS(c.SPS[0])
	if err != nil {
		return 0, 0, 0, err
	}
	width, height, err = size(s)
	if err != nil {
		return 0, 0, 0, err
	}
	if s.VUI != nil && s.VUI.TimingInfo != nil && s.VUI.TimingInfo.NumUnitsInTick != 0 {
		fps = s.FPS()
	}
	return width, height, fps, nil
}

func parseSPS(nalu []byte) (*h264.SPS, error) {
	if len(nalu) < 4 || Type(nalu) != NALSPS {
		return nil, fmt.Errorf("%w: %d bytes of NAL unit type %d, want an SPS",
			ErrInvalid, len(nalu), Type(nalu))
	}
	var s h264.SPS
	if err := s.Unmarshal(nalu); err != nil {
		return nil, fmt.Errorf("%w: SPS of %d bytes: %w", ErrInvalid, len(nalu), err)
	}
	return &s, nil
}

// size works out the cropped size (ITU-T H.264, 7.4.2.1.1). The parser's own Width and Height wrap
// around at 2^32 and do not crop monochrome pictures.
func size(s *h264.SPS) (width, height int, err error) {
	w, h := codedSize(s)
	fields := fieldsOf(s)
	if c := s.FrameCropping; c != nil {
		unitX, unitY := int64(1), fields
		if !s.SeparateColourPlaneFlag {
			switch s.ChromaFormatIdc {
			case 1:
				unitX, unitY = 2, 2*fields
			case 2:
				unitX = 2
			}
		}
		w -= unitX * (int64(c.LeftOffset) + int64(c.RightOffset))
		h -= unitY * (int64(c.TopOffset) + int64(c.BottomOffset))
	}
	if w < 1 || w > maxSide || h < 1 || h > maxSide {
		return 0, 0, fmt.Errorf("%w: picture of %dx%d, want 1 to %d", ErrInvalid, w, h, maxSide)
	}
	return int(w), int(h), nil
}

// codedSize works out the size before cropping, in whole macroblocks.
func codedSize(s *h264.SPS) (width, height int64) {
	return (int64(s.PicWidthInMbsMinus1) + 1) * 16,
		(int64(s.PicHeightInMapUnitsMinus1) + 1) * 16 * fieldsOf(s)
}

// fieldsOf is the number of fields in a frame that a map unit stands for.
func fieldsOf(s *h264.SPS) int64 {
	if s.FrameMbsOnlyFlag {
		return 1
	}
	return 2
}
