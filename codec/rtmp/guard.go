package rtmp

import (
	"fmt"
	"io"
	"math"
)

// Acknowledgement windows in bytes: what is assumed of a peer that announces none, and the least
// that is honoured, so that a peer cannot ask for an answer to every byte.
const (
	defaultWindow = 2_500_000
	minWindow     = 64 << 10
)

// Guard reads one peer's chunk stream (RTMP 5.3) within Limits.
//
// It begins in negotiation: Read yields the bytes for a server library, the handshake as it is and
// then every command re-emitted as one chunk with a full header. A Read never returns bytes of more
// than one message, so a library that buffers cannot run ahead of the command that it is handling.
// Media is refused. Detach ends this; from then on Next returns the peer's messages.
//
// Reader errors pass through unchanged and lose nothing: after a timeout in the middle of a chunk
// the next call goes on from there. Errors of this package are final and returned for ever.
//
// A Guard is not safe for concurrent use. Detach may be called by whoever holds the read side, as a
// callback on the library's reading goroutine does.
type Guard struct {
	in      input
	limits  Limits
	streams []chunkStream
	current int   // index of the stream whose chunk is being read, -1 between chunks
	left    int   // payload bytes of that chunk to come
	chunk   int   // the peer's chunk size
	held    int   // bytes allocated for partial messages
	arrived int   // bytes of those that have been received
	err     error // final
	lent    []byte
	spare   []byte
	sub     aggregate
	talk    *negotiation // nil once detached
	events  bool         // return every user control event, as a client wants
	window  uint32
	acked   uint64
	dropped uint64
}

// NewGuard returns a guard of the peer that r reads from, in negotiation.
func NewGuard(r io.Reader, l Limits) *Guard {
	g := newReader(r, l)
	g.talk = &negotiation{handshake: handshakeBytes}
	return g
}

// newReader returns a guard that is detached from the start.
func newReader(r io.Reader, l Limits) *Guard {
	return &Guard{
		in:      input{src: r, buf: make([]byte, firstBuffer)},
		limits:  l,
		current: -1,
		chunk:   DefaultChunkSize,
		window:  defaultWindow,
	}
}

// Detach ends the negotiation: Read returns io.EOF from now on and Next the messages that follow
// the last one that Read returned bytes of. Media is accepted.
func (g *Guard) Detach() { g.talk = nil }

// SetLimits replaces the limits; messages already begun are not measured again.
func (g *Guard) SetLimits(l Limits) { g.limits = l }

// Compact makes the guard as small as an idle viewer deserves: under 1 KiB, unread bytes aside,
// which are kept. It changes nothing that Next returns.
func (g *Guard) Compact() {
	g.in.small = true
	if g.in.shrink(); g.in.buf != nil {
		g.in.resize(smallBuffer)
	}
	g.spare, g.lent = nil, nil
	g.streams = append(make([]chunkStream, 0, len(g.streams)), g.streams...)
}

// Next returns the peer's next message after Detach; before, it returns ErrEarly. It returns io.EOF
// when the peer ended between two chunks and io.ErrUnexpectedEOF when it ended within one.
func (g *Guard) Next() (Message, error) {
	if g.talk != nil {
		return Message{}, fmt.Errorf("%w: Next was called before Detach", ErrEarly)
	}
	return g.next()
}

// next returns the next message in either mode.
func (g *Guard) next() (Message, error) {
	if cap(g.lent) > cap(g.spare) {
		g.spare = g.lent
	}
	g.lent = nil
	if cap(g.spare) > firstBuffer || g.in.small {
		g.spare = nil
	}
	for {
		if g.err != nil {
			return Message{}, g.err
		}
		if m, ok := g.nextSub(); ok {
			return m, nil
		}
		m, ok, err := g.step()
		if err != nil {
			return Message{}, err
		}
		if ok {
			return m, nil
		}
	}
}

// step reads what is left of a chunk, or a new one, and returns the message that it completes.
func (g *Guard) step() (m Message, ok bool, err error) {
	if g.current < 0 {
		if err := g.readHeader(); err != nil {
			return m, false, err
		}
		if g.current < 0 {
			return m, false, nil
		}
	}
	s := &g.streams[g.current]
	if err := g.readPayload(s); err != nil {
		return m, false, err
	}
	g.current = -1
	if s.got < s.length {
		return m, false, nil
	}
	return g.complete(s)
}

// fail makes err final.
func (g *Guard) fail(kind error, format string, args ...any) error {
	g.err = fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...))
	return g.err
}

// BytesRead returns the number of bytes taken from the reader, handshake and unread ones included.
func (g *Guard) BytesRead() uint64 { return g.in.total }

// Dropped returns the number of messages that were discarded: empty, aborted, restarted, of an
// unknown type, or not AMF0 where that was due.
func (g *Guard) Dropped() uint64 { return g.dropped }

// Held returns the bytes of memory held by partly received messages. It stays under MaxHeld, and
// under twice the bytes received plus 1 MiB plus 64 KiB for each chunk stream.
func (g *Guard) Held() int { return g.held }

// AckDue tells whether an acknowledgement is due and which sequence number it carries (RTMP 5.4.3).
// It is due when half the peer's window has arrived since the last time AckDue said so: senders
// that stop at a full window then never wait.
func (g *Guard) AckDue() (sequence uint32, due bool) {
	if g.in.total-g.acked < uint64(g.window/2) {
		return 0, false
	}
	g.acked = g.in.total
	return uint32(g.in.total & math.MaxUint32), true
}
