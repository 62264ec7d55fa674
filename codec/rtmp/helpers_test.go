package rtmp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

var errWouldBlock = errors.New("would block")

// unhex decodes hexadecimal digits; spaces and line ends between them are for the reader.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// trickle returns one byte at a time and errWouldBlock before each.
type trickle struct {
	b     []byte
	ready bool
}

func (r *trickle) Read(p []byte) (int, error) {
	if r.ready = !r.ready; r.ready {
		return 0, errWouldBlock
	}
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	p[0] = r.b[0]
	r.b = r.b[1:]
	return 1, nil
}

// fragments returns pieces of random length, now and then with an error that is not the end.
type fragments struct {
	b   []byte
	rng *rand.Rand
}

func (r *fragments) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := r.rng.IntN(min(len(r.b), len(p)) + 1)
	copy(p, r.b[:n])
	r.b = r.b[n:]
	if n == 0 || r.rng.IntN(4) == 0 {
		return n, errWouldBlock
	}
	return n, nil
}

// drain returns all messages of a detached guard, commands copied, and the error that ended them.
func drain(g *Guard) (out []Message, err error) {
	for {
		m, err := g.Next()
		if errors.Is(err, errWouldBlock) {
			continue
		}
		if err != nil {
			return out, err
		}
		if m.Tail == nil {
			m.Body = bytes.Clone(m.Body)
		}
		out = append(out, m)
	}
}

// sent is a message as a test peer sends it.
type sent struct {
	csid     uint32
	typ      uint8
	ts       uint32
	streamID uint32
	body     []byte
}

// message returns what a guard makes of it.
func (s sent) message() Message {
	m := Message{Type: s.typ, Timestamp: s.ts, StreamID: s.streamID, Body: s.body}
	if s.typ != TypeCommand && s.typ != TypeUserControl {
		m.Tail = binary.BigEndian.AppendUint32(bytes.Clone(s.body), uint32(len(s.body)+11))
	}
	return m
}

// sameMessages compares what a guard returned with what it should have.
func sameMessages(t testing.TB, got, want []Message) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if g.Type != w.Type || g.Timestamp != w.Timestamp || g.StreamID != w.StreamID {
			t.Fatalf("message %d: type %d at %d on %d, want type %d at %d on %d",
				i, g.Type, g.Timestamp, g.StreamID, w.Type, w.Timestamp, w.StreamID)
		}
		if !bytes.Equal(g.Body, w.Body) || !bytes.Equal(g.Tail, w.Tail) {
			t.Fatalf("message %d: body %x tail %x\nwant body %x tail %x",
				i, g.Body, g.Tail, w.Body, w.Tail)
		}
		if g.Tail != nil && (&g.Tail[0] != &g.Body[0] || cap(g.Body) != len(g.Body)) {
			t.Fatalf("message %d: body and tail are not the same memory, or body has room", i)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
}

// sender writes messages as a peer may: chunks of several streams mixed, every legal format.
type sender struct {
	rng     *rand.Rand
	chunk   int
	repeat  bool // extended timestamps in format 3 chunks
	dst     []byte
	streams map[uint32]*sending
}

// sending is a chunk stream of a sender.
type sending struct {
	last  sent
	delta uint32
	ext   bool
	field uint32
	rest  []byte
	seen  bool
}

// basic appends a basic header.
func (s *sender) basic(format uint8, csid uint32) {
	switch {
	case csid < 64:
		s.dst = append(s.dst, format<<6|byte(csid))
	case csid < 320:
		s.dst = append(s.dst, format<<6, byte(csid-64))
	default:
		s.dst = append(s.dst, format<<6|1, byte(csid-64), byte((csid-64)>>8))
	}
}

// format chooses one that says what m says.
func (s *sender) format(c *sending, m sent) uint8 {
	most := 0
	if c.seen && c.last.streamID == m.streamID {
		most = 1
		if len(c.last.body) == len(m.body) && c.last.typ == m.typ {
			most = 2
			if m.ts-c.last.ts == c.delta {
				most = 3
			}
		}
	}
	return uint8(s.rng.IntN(most + 1))
}

// begin appends the first chunk of a message.
func (s *sender) begin(m sent) *sending {
	c := s.streams[m.csid]
	if c == nil {
		c = &sending{}
		s.streams[m.csid] = c
	}
	f := s.format(c, m)
	s.basic(f, m.csid)
	v := m.ts - c.last.ts
	if f == 0 {
		v = m.ts
	}
	if f < 3 {
		c.ext, c.field, c.delta = v >= extended, v, v
		if f == 0 && v >= repeatLimit {
			c.delta = 0
		}
		var h [11]byte
		put24(h[:], min(v, extended))
		put24(h[3:], uint32(len(m.body)))
		h[6] = m.typ
		binary.LittleEndian.PutUint32(h[7:], m.streamID)
		s.dst = append(s.dst, h[:[3]int{11, 7, 3}[f]]...)
	}
	if c.ext && (f < 3 || s.repeat) {
		s.dst = binary.BigEndian.AppendUint32(s.dst, c.field)
	}
	c.last, c.seen, c.rest = m, true, m.body
	s.payload(c)
	return c
}

// resume appends a further chunk.
func (s *sender) resume(c *sending) {
	s.basic(3, c.last.csid)
	if c.ext && s.repeat {
		s.dst = binary.BigEndian.AppendUint32(s.dst, c.field)
	}
	s.payload(c)
}

func (s *sender) payload(c *sending) {
	n := min(len(c.rest), s.chunk)
	s.dst = append(s.dst, c.rest[:n]...)
	c.rest = c.rest[n:]
}

// send appends all messages, those of different chunk streams mixed, and returns them in the order
// in which they are complete.
func (s *sender) send(msgs []sent) (want []Message) {
	s.streams = map[uint32]*sending{}
	var open []*sending
	for len(msgs) > 0 || len(open) > 0 {
		if len(msgs) > 0 && s.rng.IntN(2) == 0 && !s.busy(open, msgs[0].csid) {
			c := s.begin(msgs[0])
			msgs = msgs[1:]
			if len(c.rest) == 0 {
				want = append(want, c.last.message())
			} else {
				open = append(open, c)
			}
		} else if len(open) > 0 {
			i := s.rng.IntN(len(open))
			s.resume(open[i])
			if len(open[i].rest) == 0 {
				want = append(want, open[i].last.message())
				open = append(open[:i], open[i+1:]...)
			}
		}
		if s.rng.IntN(16) == 0 {
			size := 1 + s.rng.IntN(s.chunk*2)
			s.dst = appendResize(s.dst, s.chunk, uint32(size))
			s.chunk = size
		}
	}
	return want
}

func (s *sender) busy(open []*sending, csid uint32) bool {
	for _, c := range open {
		if c.last.csid == csid {
			return true
		}
	}
	return false
}

// appendResize announces a new chunk size in chunks of the old one.
func appendResize(dst []byte, chunk int, size uint32) []byte {
	body := binary.BigEndian.AppendUint32(nil, size)
	return AppendMessage(dst, ChunkControl, TypeSetChunkSize, 0, 0, body, chunk)
}

// randomMessages returns messages on a few chunk streams with times that rise, stand and fall.
func randomMessages(rng *rand.Rand, n int) []sent {
	csids := []uint32{3, 4, 6, 63, 64, 319, 320, 65599}
	types := []uint8{TypeAudio, TypeVideo, TypeData, TypeCommand}
	starts := []uint32{0, 40, 9_999, 16_800_000, 1<<32 - 100}
	ts := starts[rng.IntN(len(starts))]
	var out []sent
	for range n {
		m := sent{csid: csids[rng.IntN(len(csids))], typ: types[rng.IntN(len(types))], ts: ts}
		m.streamID = uint32(rng.IntN(2))
		size := 1 + rng.IntN(600)
		if rng.IntN(2) == 0 {
			size = 64
		}
		m.body = make([]byte, size)
		for i := range m.body {
			m.body[i] = byte(rng.Uint32())
		}
		if m.typ == TypeData || m.typ == TypeCommand {
			m.body = AppendString(nil, strings.Repeat("x", size))
		}
		out = append(out, m)
		switch rng.IntN(8) {
		case 0:
			ts -= 1000
		case 1:
			ts += 0xffffff
		default:
			ts += uint32(rng.IntN(3)) * 20
		}
	}
	return out
}
