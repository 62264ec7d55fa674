package av

import (
	"bytes"
	"slices"

	"github.com/headwater-live/headwater/codec/avc"
)

// maxUnit bounds an access unit; an FLV tag cannot hold more.
const maxUnit = 1<<24 - 1

// guard reads what goes into the H.264 decoder before libav does. An SPS that is refused closes it
// until one is accepted: what follows would be decoded by the wrong one.
type guard struct {
	limits     Limits
	lengthSize int
	known      [4][]byte // parameter sets that were accepted, to read each only once
	next       int       // where in known the next goes
	refused    error
}

// record checks an AVCDecoderConfigurationRecord. One without an SPS is right: the stream has them.
func (g *guard) record(call string, record []byte) error {
	c, err := avc.ParseConfig(record)
	if err != nil {
		g.refused = refuse(ErrInvalidData, call, "%v", err)
		return g.refused
	}
	for _, sps := range c.SPS {
		if err := g.sps(call, sps); err != nil {
			g.refused = err
			return err
		}
	}
	g.lengthSize, g.refused = c.NALULengthSize, nil
	return nil
}

// unit checks an access unit: that its lengths fit, so that libav does not take it for another
// form, and the parameter sets in it.
func (g *guard) unit(call string, unit []byte) error {
	switch {
	case len(unit) == 0:
		return refuse(ErrInvalidData, call, "empty unit")
	case len(unit) > maxUnit:
		return refuse(ErrLimit, call, "unit of %d bytes, at most %d", len(unit), maxUnit)
	case looksLikeRecord(unit):
		return refuse(ErrInvalidData, call, "a configuration record in the place of a picture")
	}
	c := avc.NALUs(unit, g.lengthSize)
	var refused error
	seen := false
	for c.Next() {
		if avc.Type(c.NALU()) == avc.NALSPS {
			seen = true
			if err := g.sps(call, c.NALU()); err != nil {
				refused = err
			}
		}
	}
	if seen {
		g.refused = refused
	}
	if g.refused != nil {
		return g.refused
	}
	if c.Broken() {
		return refuse(ErrInvalidData, call, "unit of %d bytes ends inside a NAL unit", len(unit))
	}
	return nil
}

// sps checks one parameter set.
func (g *guard) sps(call string, sps []byte) error {
	for _, k := range g.known {
		if bytes.Equal(k, sps) {
			return nil
		}
	}
	p, err := avc.ParsePicture(sps)
	if err != nil {
		return refuse(ErrInvalidData, call, "%v", err)
	}
	if err := g.limits.checkPicture(call, p); err != nil {
		return err
	}
	g.known[g.next] = slices.Clone(sps)
	g.next = (g.next + 1) % len(g.known)
	return nil
}

// looksLikeRecord is libavcodec's own test (h264dec.c) for a packet that it reads as configuration
// rather than as a picture.
func looksLikeRecord(unit []byte) bool {
	return len(unit) >= 9 && unit[0] == 1 && unit[2] == 0 && unit[4]&0xfc == 0xfc
}
