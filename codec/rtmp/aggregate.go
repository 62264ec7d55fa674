package rtmp

// aggregate is an aggregate message (RTMP 7.1.6) of which rest has not been returned yet: FLV tags
// one after another. rest ends with the four bytes behind the message, in case the last tag came
// without a back pointer.
type aggregate struct {
	rest     []byte
	base     uint32 // timestamp of the message
	offset   uint32 // timestamp of its first tag
	streamID uint32
	first    bool
}

// nextSub returns the next message of the aggregate in hand. Its payload and tail lie in the
// aggregate's memory, where the back pointer becomes the PreviousTagSize.
func (g *Guard) nextSub() (m Message, ok bool) {
	a := &g.sub
	for len(a.rest) > 0 {
		b := a.rest
		payload := len(b) - tailBytes
		if payload < flvTagHeader {
			a.rest = nil
			break
		}
		n := int(uint24(b[1:]))
		ts := uint24(b[4:]) | uint32(b[7])<<24
		if n > payload-flvTagHeader {
			a.rest = nil
			g.dropped++
			break
		}
		if a.first {
			a.offset, a.first = ts, false
		}
		end := flvTagHeader + n + tailBytes
		a.rest = b[end:]
		s := chunkStream{typ: b[0], ts: a.base + ts - a.offset, streamID: a.streamID, length: n}
		if m, ok = g.subMessage(&s, b[flvTagHeader:end:end]); ok {
			return m, true
		}
	}
	g.sub = aggregate{}
	return m, false
}

// subMessage returns one message of an aggregate; tail is its payload and four bytes more.
func (g *Guard) subMessage(s *chunkStream, tail []byte) (m Message, ok bool) {
	switch {
	case s.length == 0:
	case s.typ == TypeAudio || s.typ == TypeVideo:
		return s.media(s.typ, tail), true
	case s.typ == TypeData || s.typ == TypeDataAMF3:
		return g.data(s, tail)
	}
	g.dropped++
	return m, false
}
