package main

import (
	"encoding/binary"
	"fmt"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// How much of a message a viewer looks at: the mark of media, all of a command. A message of more
// than maxLength bytes is an error.
const (
	mediaHead   = videoMark + markSize
	commandHead = 4096
	maxLength   = 8 << 20
	maxStreams  = 16
)

// message is a message or an FLV tag that has arrived in full. head is the beginning of its body,
// valid during the call only.
type message struct {
	typ    uint8
	length int
	head   []byte
}

// chunkStream is the state of one RTMP chunk stream (RTMP 5.3.1).
type chunkStream struct {
	id     uint32
	typ    uint8
	ext    bool // its last header had an extended timestamp
	length int
	got    int
	head   []byte
}

// chunkParser reads an RTMP chunk stream as it comes and keeps nothing of it but the heads.
type chunkParser struct {
	streams []chunkStream
	size    int // of the peer's chunks
	current int // index of the stream of the present chunk
	left    int // payload bytes of the present chunk to come
	header  [3 + 11 + 4]byte
	have    int // bytes of header
}

func newChunkParser() chunkParser { return chunkParser{size: rtmp.DefaultChunkSize} }

// feed reads b and calls emit for each message that it completes.
func (p *chunkParser) feed(b []byte, emit func(message) error) error {
	for len(b) > 0 {
		if p.left == 0 {
			n, done, err := p.readHeader(b)
			b = b[n:]
			if err != nil {
				return err
			}
			if !done {
				continue
			}
		}
		s := &p.streams[p.current]
		n := min(p.left, len(b))
		s.keep(b[:n])
		b = b[n:]
		p.left -= n
		if s.got < s.length || p.left > 0 {
			continue
		}
		if err := p.complete(s, emit); err != nil {
			return err
		}
	}
	return nil
}

func (p *chunkParser) complete(s *chunkStream, emit func(message) error) error {
	m := message{typ: s.typ, length: s.length, head: s.head}
	s.got, s.head = 0, s.head[:0]
	if m.typ != rtmp.TypeSetChunkSize {
		return emit(m)
	}
	if len(m.head) < 4 {
		return fmt.Errorf("chunk size of %d bytes, want 4", len(m.head))
	}
	p.size = int(binary.BigEndian.Uint32(m.head) & 0x7fffffff)
	if p.size < 1 {
		return fmt.Errorf("chunk size %d", p.size)
	}
	return nil
}

// keep takes payload.
func (s *chunkStream) keep(b []byte) {
	limit := commandHead
	if s.typ == rtmp.TypeAudio || s.typ == rtmp.TypeVideo || s.typ == rtmp.TypeData {
		limit = mediaHead
	}
	if room := limit - len(s.head); room > 0 {
		s.head = append(s.head, b[:min(room, len(b))]...)
	}
	s.got += len(b)
}

// readHeader takes bytes of a chunk header. It returns how many it took and whether the header is
// complete.
func (p *chunkParser) readHeader(b []byte) (n int, done bool, err error) {
	for {
		want := p.headerLength()
		if p.have == want {
			p.have = 0
			return n, true, p.begin()
		}
		took := copy(p.header[p.have:want], b[n:])
		p.have += took
		n += took
		if p.have < want {
			return n, false, nil
		}
	}
}

// headerLength is the length of the chunk header that begins with the bytes in hand, as far as they
// tell.
func (p *chunkParser) headerLength() int {
	if p.have == 0 {
		return 1
	}
	basic := p.basicLength()
	if p.have < basic {
		return basic
	}
	format := p.header[0] >> 6
	n := basic + [...]int{11, 7, 3, 0}[format]
	if p.have < n {
		return n
	}
	if format == 3 {
		if s := p.find(p.streamID()); s >= 0 && p.streams[s].ext {
			n += 4
		}
	} else if p.extended(basic) {
		n += 4
	}
	return n
}

func (p *chunkParser) basicLength() int {
	switch p.header[0] & 0x3f {
	case 0:
		return 2
	case 1:
		return 3
	}
	return 1
}

func (p *chunkParser) streamID() uint32 {
	switch p.basicLength() {
	case 2:
		return uint32(p.header[1]) + 64
	case 3:
		return uint32(p.header[1]) + uint32(p.header[2])<<8 + 64
	}
	return uint32(p.header[0] & 0x3f)
}

func (p *chunkParser) extended(basic int) bool {
	return [3]byte(p.header[basic:]) == [3]byte{0xff, 0xff, 0xff}
}

func (p *chunkParser) find(id uint32) int {
	for i := range p.streams {
		if p.streams[i].id == id {
			return i
		}
	}
	return -1
}

// begin starts the chunk whose header is in hand.
func (p *chunkParser) begin() error {
	id, format, basic := p.streamID(), p.header[0]>>6, p.basicLength()
	p.current = p.find(id)
	if p.current < 0 {
		if format != 0 || len(p.streams) == maxStreams {
			return fmt.Errorf("chunk stream %d begins with format %d after %d others",
				id, format, len(p.streams))
		}
		p.current = len(p.streams)
		p.streams = append(p.streams, chunkStream{id: id})
	}
	s := &p.streams[p.current]
	if format < 3 {
		s.ext = p.extended(basic)
	}
	if format < 2 {
		if s.got > 0 {
			return fmt.Errorf("chunk stream %d: a new message after %d of %d bytes",
				id, s.got, s.length)
		}
		h := p.header[basic:]
		s.length = int(h[3])<<16 | int(h[4])<<8 | int(h[5])
		s.typ = h[6]
		if s.length > maxLength {
			return fmt.Errorf("message of %d bytes, at most %d", s.length, maxLength)
		}
	}
	p.left = min(s.length-s.got, p.size)
	return nil
}
