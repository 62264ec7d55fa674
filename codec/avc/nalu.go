package avc

// NALType is the nal_unit_type of a NAL unit (ITU-T H.264, table 7-1).
type NALType uint8

// The NAL unit types that matter to a stream.
const (
	NALSlice  NALType = 1 // coded slice of a picture that is not an IDR picture
	NALIDR    NALType = 5 // coded slice of an IDR picture
	NALSEI    NALType = 6
	NALSPS    NALType = 7
	NALPPS    NALType = 8
	NALAUD    NALType = 9 // access unit delimiter
	NALEndSeq NALType = 10
	NALFiller NALType = 12
	NALSPSExt NALType = 13
)

// Type returns the type of a NAL unit, or 0 (unspecified) for an empty one.
func Type(nalu []byte) NALType {
	if len(nalu) == 0 {
		return 0
	}
	return NALType(nalu[0] & 0x1f)
}

// Cursor steps through the NAL units of a length-prefixed access unit (ISO/IEC 14496-15, 5.3.4.2)
// without copying or allocating:
//
//	c := avc.NALUs(body, lengthSize)
//	for c.Next() { use(c.NALU()) }
//	if c.Broken() { ... }
type Cursor struct {
	rest   []byte
	nalu   []byte
	size   int
	broken bool
}

// NALUs returns a Cursor in front of the first NAL unit of an access unit. lengthSize is
// Config.NALULengthSize.
func NALUs(unit []byte, lengthSize int) Cursor {
	if lengthSize < 1 || lengthSize > 4 {
		return Cursor{broken: true}
	}
	return Cursor{rest: unit, size: lengthSize}
}

// Next steps to the next NAL unit that is not empty. It returns false at the end, and where a
// length points outside of the access unit.
func (c *Cursor) Next() bool {
	for !c.broken && len(c.rest) > 0 {
		if len(c.rest) < c.size {
			break
		}
		n := uint64(0)
		for _, b := range c.rest[:c.size] {
			n = n<<8 | uint64(b)
		}
		if n > uint64(len(c.rest)-c.size) {
			break
		}
		c.nalu = c.rest[c.size : c.size+int(n)]
		c.rest = c.rest[c.size+int(n):]
		if n > 0 {
			return true
		}
	}
	c.broken = c.broken || len(c.rest) > 0
	c.nalu = nil
	return false
}

// NALU returns the present NAL unit, without its length. It shares the access unit's memory.
func (c *Cursor) NALU() []byte { return c.nalu }

// Broken reports, once Next has returned false, that the access unit ended inside a NAL unit.
func (c *Cursor) Broken() bool { return c.broken }

// HasIDR reports whether the access unit has a slice of an IDR picture: whether a decoder that is
// configured can begin with it. The NAL units in front of a broken length count.
func HasIDR(unit []byte, lengthSize int) bool {
	c := NALUs(unit, lengthSize)
	for c.Next() {
		if Type(c.NALU()) == NALIDR {
			return true
		}
	}
	return false
}
