package rtmp

import (
	"fmt"
	"io"
	"strings"
)

// Lengths of the handshake in bytes (RTMP 5.2): C0 or S0, then two blocks.
const (
	handshakeBlock = 1536
	handshakeBytes = 1 + 2*handshakeBlock
	version        = 3
)

// negotiation is what a guard needs until it is detached.
type negotiation struct {
	handshake int    // bytes of C0, C1 and C2 to come
	out       []byte // what Read returns next: bytes of one message
	buf       []byte // memory of out
}

// Read implements io.Reader for the negotiation; see Guard. It returns io.EOF after Detach.
func (g *Guard) Read(p []byte) (int, error) {
	if g.talk == nil {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if g.talk.handshake > 0 {
		return g.readHandshake(p)
	}
	for len(g.talk.out) == 0 {
		m, err := g.next()
		if err != nil {
			return 0, err
		}
		if err := g.reemit(m); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.talk.out)
	g.talk.out = g.talk.out[n:]
	return n, nil
}

// readHandshake passes on handshake bytes as they come. The message that follows the last of them
// tells the library the size of the chunks that this guard emits.
func (g *Guard) readHandshake(p []byte) (int, error) {
	t := g.talk
	b, err := g.in.peek(1)
	if err != nil {
		if t.handshake < handshakeBytes {
			err = noEOF(err)
		}
		return 0, err
	}
	if t.handshake == handshakeBytes && b[0] != version {
		return 0, g.fail(ErrVersion, "the peer speaks %d, want %d", b[0], version)
	}
	n, err := g.in.read(p[:min(len(p), t.handshake, g.in.buffered())])
	t.handshake -= n
	if t.handshake == 0 {
		t.buf = AppendSetChunkSize(nil, MaxChunkSize)
		t.out = t.buf
	}
	return n, err
}

// overBudget refuses a peer that has sent too much before it was detached.
func (g *Guard) overBudget() error {
	if g.talk == nil {
		return nil
	}
	n := g.in.total - uint64(g.in.buffered())
	if n > uint64(g.limits.PreAuthBytes) {
		return g.fail(ErrLimit, "%d bytes before publish or play, at most %d",
			n, g.limits.PreAuthBytes)
	}
	return nil
}

// reemit makes a message the next thing that Read returns. Its timestamp becomes 0: commands have
// none that matters and the library copies it into replies, wrongly once it is extended.
func (g *Guard) reemit(m Message) error {
	body, csid := m.Body, ChunkControl
	if m.Type == TypeCommand {
		cmd, err := ParseCommand(body)
		if err != nil {
			g.err = fmt.Errorf("message stream %d: %w", m.StreamID, err)
			return g.err
		}
		if isReply(cmd.Name) {
			g.dropped++
			return nil
		}
		csid = ChunkCommand
		body = plainCommand(cmd)
	}
	t := g.talk
	t.buf = AppendMessage(t.buf[:0], csid, m.Type, 0, m.StreamID, body, MaxChunkSize)
	t.out = t.buf
	return nil
}

// isReply tells whether a command answers another. A server that asks nothing expects none.
func isReply(name string) bool {
	return name == "_result" || name == "_error" || name == "onStatus"
}

// plainCommand encodes a command again with nothing in it that a strict decoder stumbles over: no
// long strings, references, dates or typed objects, no invalid UTF-8, and in connect only
// properties of the kind that they must have.
func plainCommand(c Command) []byte {
	if c.Name == "connect" && len(c.Args) > 0 {
		c.Args = []Value{plainConnect(c.Args[0])}
	}
	if c.Name == "play" && len(c.Args) > 2 && c.Args[2].Kind != Number {
		c.Args = c.Args[:2]
	}
	if c.Name == "publish" && len(c.Args) > 2 && c.Args[2].Kind != String {
		c.Args = c.Args[:2]
	}
	return AppendCommand(nil, c)
}

// plainConnect keeps what servers read of the command object of connect (RTMP 7.2.1.1).
func plainConnect(v Value) Value {
	out := Value{Kind: Object}
	for _, p := range v.Pairs {
		switch strings.ToLower(p.Key) {
		case "fpad":
			if p.Value.Kind == Number {
				p.Value = Bool(p.Value.Number != 0)
			}
			if p.Value.Kind != Boolean {
				continue
			}
		case "capabilities", "audiocodecs", "videocodecs", "videofunction", "objectencoding":
			if p.Value.Kind != Number {
				continue
			}
		case "app", "type", "flashver", "tcurl", "swfurl", "pageurl":
			if p.Value.Kind != String {
				continue
			}
		default:
			continue
		}
		out.Pairs = append(out.Pairs, p)
	}
	return out
}
