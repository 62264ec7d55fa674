package rtmp

import (
	"fmt"
	"io"
)

// Sizes of the input buffer in bytes.
const (
	smallBuffer = 128      // an idle viewer's; a chunk header has at most 18
	firstBuffer = 4 << 10  // while a connection is negotiated
	mediaBuffer = 16 << 10 // once media arrives
)

// maxEmptyReads is how often a source may return no byte and no error in a row.
const maxEmptyReads = 100

// input reads a source so that nothing is lost when the source fails between two bytes: bytes are
// consumed only when the caller has all it asked for.
type input struct {
	src   io.Reader
	buf   []byte
	r, w  int
	total uint64 // bytes taken from src
	err   error  // returned by src together with bytes, not yet passed on
	small bool
}

// buffered returns the number of bytes read from the source and not consumed.
func (in *input) buffered() int { return in.w - in.r }

// readSome reads at least one byte from the source.
func (in *input) readSome(p []byte) (int, error) {
	if err := in.err; err != nil {
		in.err = nil
		return 0, err
	}
	for range maxEmptyReads {
		n, err := in.src.Read(p)
		if n < 0 || n > len(p) {
			return 0, fmt.Errorf("rtmp: reader returned %d of %d bytes", n, len(p))
		}
		if n > 0 {
			in.total += uint64(n)
			in.err = err
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// fill adds bytes to the buffer, which must not be full of unread bytes.
func (in *input) fill() error {
	if in.r == in.w {
		in.r, in.w = 0, 0
		if in.small && len(in.buf) != smallBuffer {
			in.buf = make([]byte, smallBuffer)
		}
	} else if in.w == len(in.buf) {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
	n, err := in.readSome(in.buf[in.w:])
	in.w += n
	if err != nil && in.small {
		in.shrink()
	}
	return err
}

// shrink gives the buffer back that an idle viewer, who says something every few seconds, can do
// without.
func (in *input) shrink() {
	if in.r == in.w {
		in.buf, in.r, in.w = nil, 0, 0
	}
}

// peek returns the next n bytes without consuming them; n is at most smallBuffer.
func (in *input) peek(n int) ([]byte, error) {
	for in.buffered() < n {
		if err := in.fill(); err != nil {
			if err == io.EOF && in.buffered() > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return in.buf[in.r : in.r+n], nil
}

// discard consumes n bytes that peek has returned.
func (in *input) discard(n int) { in.r += n }

// read reads up to len(p) bytes, straight from the source when p is large and nothing is buffered.
func (in *input) read(p []byte) (int, error) {
	if in.r == in.w {
		if len(p) >= len(in.buf) {
			return in.readSome(p)
		}
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.buf[in.r:in.w])
	in.r += n
	return n, nil
}

// skip consumes up to n bytes.
func (in *input) skip(n int) (int, error) {
	if in.r == in.w {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	n = min(n, in.buffered())
	in.r += n
	return n, nil
}

// resize changes the buffer to size bytes, or to as many as are unread.
func (in *input) resize(size int) {
	buf := make([]byte, max(size, in.buffered()))
	in.w = copy(buf, in.buf[in.r:in.w])
	in.r = 0
	in.buf = buf
}

// readFull reads len(p) bytes.
func (in *input) readFull(p []byte) error {
	for len(p) > 0 {
		n, err := in.read(p)
		if err != nil {
			return noEOF(err)
		}
		p = p[n:]
	}
	return nil
}
