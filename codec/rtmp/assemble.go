package rtmp

import (
	"encoding/binary"
	"io"
)

// How memory for a message grows. Up to aheadBytes may be allocated before a byte of them arrived,
// over all messages of one guard; beyond that a message is given growStep, then twice what it has
// received. An ordinary message is thus allocated once, and a peer that announces much and sends
// little holds little.
const (
	aheadBytes  = 1 << 20
	growStep    = 64 << 10
	commandStep = 512
)

// tailBytes is the length of the PreviousTagSize behind a payload (FLV 10.1, Annex E.3).
const tailBytes = 4

// repeatLimit in milliseconds: see chunkStream.timestamp.
const repeatLimit = 10_000

// chunkStream is what a chunk stream id remembers, and the message it is in the middle of.
type chunkStream struct {
	body     []byte // allocated memory; the first got bytes have arrived
	length   int    // of the message
	got      int
	id       uint32
	ts       uint32
	delta    uint32
	field    uint32 // extended timestamp of the last header, if ext
	streamID uint32
	typ      uint8
	ext      bool
	absolute bool // the last header was of format 0
	active   bool // a message has begun and is not complete
	skip     bool // its payload is not kept
}

// header is one parsed chunk header.
type header struct {
	format   uint8
	id       uint32
	ts       uint32 // absolute or delta, as the format says
	ext      bool
	length   int
	typ      uint8
	streamID uint32
}

// stream returns the index of a known chunk stream, or -1.
func (g *Guard) stream(id uint32) int {
	for i := range g.streams {
		if g.streams[i].id == id {
			return i
		}
	}
	return -1
}

// readHeader reads a chunk header (RTMP 5.3.1) and begins or continues its message. Nothing is
// consumed before all of the header is there.
func (g *Guard) readHeader() error {
	h, n, err := g.peekHeader()
	if err != nil {
		return err
	}
	i := g.stream(h.id)
	if i < 0 {
		if h.format > 1 {
			return g.fail(ErrChunk, "chunk stream %d begins with format %d", h.id, h.format)
		}
		if len(g.streams) >= g.limits.MaxChunkStreams {
			return g.fail(ErrLimit, "chunk stream %d after %d others", h.id, len(g.streams))
		}
		i = len(g.streams)
		g.streams = append(g.streams, chunkStream{id: h.id})
	}
	s := &g.streams[i]
	if h.format == 3 && s.ext {
		repeated, err := g.repeats(n, s.field)
		if err != nil {
			return err
		}
		if repeated {
			n += 4
		}
	}
	g.in.discard(n)
	if err := g.overBudget(); err != nil {
		return err
	}
	return g.apply(i, h)
}

// peekHeader parses the next chunk header and returns its length, the extended timestamp of a
// format 3 chunk excluded.
func (g *Guard) peekHeader() (h header, n int, err error) {
	b, err := g.in.peek(1)
	if err != nil {
		return h, 0, err
	}
	h.format, h.id = b[0]>>6, uint32(b[0]&0x3f)
	n = 1
	if h.id < 2 {
		n += 1 + int(h.id)
	}
	at := n
	n += [4]int{11, 7, 3, 0}[h.format]
	if b, err = g.in.peek(n); err != nil {
		return h, 0, err
	}
	switch at {
	case 2:
		h.id = 64 + uint32(b[1])
	case 3:
		h.id = 64 + uint32(b[1]) + uint32(b[2])<<8
	}
	if h.format == 3 {
		return h, n, nil
	}
	h.ts = uint24(b[at:])
	if h.format < 2 {
		h.length, h.typ = int(uint24(b[at+3:])), b[at+6]
	}
	if h.format == 0 {
		h.streamID = binary.LittleEndian.Uint32(b[at+7:])
	}
	if h.ts == extended {
		if b, err = g.in.peek(n + 4); err != nil {
			return h, 0, err
		}
		h.ts, h.ext = binary.BigEndian.Uint32(b[n:]), true
		n += 4
	}
	return h, n, nil
}

// repeats tells whether the four bytes n bytes ahead repeat the extended timestamp. The
// specification wants them in format 3 chunks (5.3.1.3), many encoders leave them out; bytes that
// differ, or end, are payload. It looks no further than to the first byte that differs.
func (g *Guard) repeats(n int, field uint32) (bool, error) {
	var want [4]byte
	binary.BigEndian.PutUint32(want[:], field)
	for i := range want {
		b, err := g.in.peek(n + i + 1)
		if err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if b[n+i] != want[i] {
			return false, nil
		}
	}
	return true, nil
}

// apply gives a header to stream i and makes it the current one.
func (g *Guard) apply(i int, h header) error {
	s := &g.streams[i]
	if h.format < 3 && s.active {
		g.abandon(s)
	}
	if !s.active {
		s.update(h)
		if s.length == 0 {
			g.dropped++
			return nil
		}
		if err := g.begin(s); err != nil {
			return err
		}
	}
	g.current = i
	g.left = min(s.length-s.got, g.chunk)
	return nil
}

// update takes over the fields of the header that begins a message.
func (s *chunkStream) update(h header) {
	if h.format < 2 {
		s.length, s.typ = h.length, h.typ
	}
	if h.format < 3 {
		s.delta, s.ext, s.absolute = h.ts, h.ext, h.format == 0
		if h.ext {
			s.field = h.ts
		}
	}
	switch {
	case h.format == 0:
		s.ts, s.streamID = h.ts, h.streamID
	case h.format == 3 && s.absolute && s.delta >= repeatLimit:
		// After format 0, format 3 repeats its timestamp as a delta (5.3.1.2.4). Some encoders
		// mean no delta at all; a delta of that size is never what was meant.
	default:
		s.ts += s.delta
	}
}

// begin checks a message that is about to be received.
func (g *Guard) begin(s *chunkStream) error {
	limit := g.limits.MaxCommand
	s.skip = false
	switch s.typ {
	case TypeSetChunkSize, TypeAbort, TypeUserControl, TypeWindowAckSize:
	case TypeCommand, TypeCommandAMF3:
	case TypeData, TypeDataAMF3, TypeAudio, TypeVideo, TypeAggregate:
		if g.talk != nil {
			return g.fail(ErrEarly, "message type %d of %d bytes", s.typ, s.length)
		}
		if s.isMedia() {
			limit = g.limits.MaxMedia
			if !g.in.small && len(g.in.buf) < mediaBuffer {
				g.in.resize(mediaBuffer)
			}
		}
	default:
		s.skip, limit = true, MaxBody
	}
	if s.length > limit {
		return g.fail(ErrLimit, "message type %d of %d bytes, at most %d", s.typ, s.length, limit)
	}
	s.active = true
	return nil
}

// isMedia tells whether the media limit applies.
func (s *chunkStream) isMedia() bool {
	return s.typ == TypeAudio || s.typ == TypeVideo || s.typ == TypeAggregate
}

// shared tells whether the message is returned in memory of its own, with a tail.
func (s *chunkStream) shared() bool {
	return s.isMedia() || s.typ == TypeData || s.typ == TypeDataAMF3
}

// readPayload reads the rest of the current chunk.
func (g *Guard) readPayload(s *chunkStream) error {
	for g.left > 0 {
		var n int
		var err error
		if s.skip {
			n, err = g.in.skip(g.left)
		} else {
			if s.got == min(len(s.body), s.length) {
				if err := g.grow(s); err != nil {
					return err
				}
			}
			n, err = g.in.read(s.body[s.got:min(len(s.body), s.got+g.left)])
			g.arrived += n
		}
		s.got += n
		g.left -= n
		if err != nil {
			return noEOF(err)
		}
		if err := g.overBudget(); err != nil {
			return err
		}
	}
	return nil
}

// grow gives a message memory for more bytes.
func (g *Guard) grow(s *chunkStream) error {
	have := len(s.body)
	full, want := s.length, max(2*have, commandStep)
	if s.shared() {
		full += tailBytes
		ahead := max(0, aheadBytes-(g.held-g.arrived))
		want = max(2*have, have+ahead, growStep)
	}
	n := want
	if n >= s.length {
		n = full
	}
	if g.held-have+n > g.limits.MaxHeld {
		return g.fail(ErrLimit, "%d bytes held and %d more wanted, at most %d",
			g.held, n-have, g.limits.MaxHeld)
	}
	var body []byte
	if !s.shared() && n <= cap(g.spare) {
		body, g.spare = g.spare[:n], nil
	} else {
		body = make([]byte, n)
	}
	copy(body, s.body[:s.got])
	s.body = body
	g.held += n - have
	return nil
}

// abandon discards the message that a stream is in the middle of.
func (g *Guard) abandon(s *chunkStream) {
	g.release(s)
	g.dropped++
}

// release ends the stream's message and returns its memory.
func (g *Guard) release(s *chunkStream) []byte {
	body := s.body
	if !s.skip {
		g.held -= len(body)
		g.arrived -= s.got
	}
	s.body, s.got, s.active = nil, 0, false
	return body
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }
