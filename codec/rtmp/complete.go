package rtmp

import (
	"encoding/binary"
	"io"
)

// flvTagHeader is the length of the FLV tag header that a PreviousTagSize counts (FLV E.4.1).
const flvTagHeader = 11

// setDataFrame is the AMF0 string that wraps metadata on its way to a server; it is not part of the
// FLV script tag.
const setDataFrame = "\x02\x00\x0d@setDataFrame"

// complete handles the message that stream s has received in full and returns it if it is for the
// caller.
func (g *Guard) complete(s *chunkStream) (m Message, ok bool, err error) {
	body := g.release(s)
	if s.skip {
		if s.typ != TypeAck && s.typ != TypeSetPeerBW {
			g.dropped++
		}
		return m, false, nil
	}
	switch s.typ {
	case TypeAudio, TypeVideo:
		return s.media(s.typ, body[:s.length+tailBytes]), true, nil
	case TypeData, TypeDataAMF3:
		m, ok = g.data(s, body[:s.length+tailBytes])
		return m, ok, nil
	case TypeAggregate:
		g.sub = aggregate{
			rest: body[:s.length+tailBytes], base: s.ts, streamID: s.streamID, first: true,
		}
		return m, false, nil
	}
	g.lent = body
	body = body[:s.length:s.length]
	switch s.typ {
	case TypeCommand, TypeCommandAMF3:
		return g.command(s, body)
	case TypeUserControl:
		if len(body) >= 6 && (g.events || binary.BigEndian.Uint16(body) == EventPingRequest) {
			return Message{Type: s.typ, Timestamp: s.ts, Body: body}, true, nil
		}
		return m, false, nil
	}
	return m, false, g.control(s.typ, body)
}

// control obeys a protocol control message (RTMP 5.4).
func (g *Guard) control(typ uint8, body []byte) error {
	if len(body) < 4 {
		return g.fail(ErrChunk, "control message type %d of %d bytes, want 4", typ, len(body))
	}
	v := binary.BigEndian.Uint32(body)
	switch typ {
	case TypeSetChunkSize:
		v &^= 1 << 31
		if v == 0 {
			return g.fail(ErrChunk, "chunk size 0")
		}
		g.chunk = int(min(v, MaxChunkSize))
	case TypeAbort:
		if i := g.stream(v); i >= 0 && g.streams[i].active {
			g.abandon(&g.streams[i])
		}
	case TypeWindowAckSize:
		g.window = max(v, minWindow)
	}
	return nil
}

// media returns a message whose payload has a tail: tail is the payload and four bytes more.
func (s *chunkStream) media(typ uint8, tail []byte) Message {
	m := Message{Type: typ, Timestamp: s.ts, StreamID: s.streamID}
	m.setTail(tail)
	return m
}

// setTail gives m its payload: all of tail but four bytes, which become its PreviousTagSize.
func (m *Message) setTail(tail []byte) {
	n := len(tail) - tailBytes
	binary.BigEndian.PutUint32(tail[n:], uint32(n+flvTagHeader))
	m.Body, m.Tail = tail[:n:n], tail[:len(tail):len(tail)]
}

// data returns a data message as the body of an FLV script tag, if it is sound AMF0.
func (g *Guard) data(s *chunkStream, tail []byte) (Message, bool) {
	if s.typ == TypeDataAMF3 && tail[0] == 0 {
		tail = tail[1:]
	}
	if len(tail) > len(setDataFrame)+tailBytes && string(tail[:len(setDataFrame)]) == setDataFrame {
		tail = tail[len(setDataFrame):]
	}
	if len(tail) == tailBytes || checkAMF(tail[:len(tail)-tailBytes]) != nil {
		g.dropped++
		return Message{}, false
	}
	return s.media(TypeData, tail), true
}

// command returns a command message in AMF0. What is not AMF0 ends a negotiation; later it is
// dropped, because it must not end a broadcast.
func (g *Guard) command(s *chunkStream, body []byte) (m Message, ok bool, err error) {
	if s.typ == TypeCommandAMF3 && body[0] == 0 {
		body = body[1:]
	}
	err = checkAMF(body)
	switch {
	case err == nil && len(body) > 0 && (body[0] == markString || body[0] == markLongString):
		return Message{
			Type: TypeCommand, Timestamp: s.ts, StreamID: s.streamID, Body: body,
		}, true, nil
	case g.talk == nil:
		g.dropped++
		return m, false, nil
	case err == nil:
		return m, false, g.fail(ErrAMF, "command of %d bytes without a name", len(body))
	}
	g.err = err
	return m, false, err
}

// noEOF turns the end of the source into the error that it is within a chunk.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
