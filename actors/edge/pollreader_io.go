package edge

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrWouldBlock says that there is nothing to read now.
var ErrWouldBlock = errors.New("nothing to read now")

// PollReader reads a connection: waiting for bytes while it is negotiated and, after Poll, only
// what is there, so that a viewer needs no goroutine for the little that it sends.
type PollReader struct {
	conn    net.Conn
	raw     syscall.RawConn
	polling bool
	step    func(fd uintptr) bool
	buf     []byte
	n       int
	err     error
}

// NewPollReader returns a reader of conn that waits.
func NewPollReader(conn net.Conn) *PollReader { return &PollReader{conn: conn} }

// Poll makes Read return ErrWouldBlock instead of waiting.
func (p *PollReader) Poll() {
	p.polling = true
	if tcp, ok := plain(p.conn).(*net.TCPConn); ok {
		if raw, err := tcp.SyscallConn(); err == nil {
			p.raw, p.step = raw, p.readStep
		}
	}
}

// Read implements io.Reader.
func (p *PollReader) Read(buf []byte) (int, error) {
	if !p.polling {
		return p.conn.Read(buf)
	}
	if p.raw == nil {
		return p.readSoon(buf)
	}
	p.buf, p.n, p.err = buf, 0, nil
	if err := p.raw.Read(p.step); err != nil {
		return 0, err
	}
	p.buf = nil
	return p.n, p.err
}

func (p *PollReader) readStep(fd uintptr) bool {
	for {
		n, err := unix.Read(int(fd), p.buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			p.err = ErrWouldBlock
		case err != nil:
			p.err = err
		case n == 0 && len(p.buf) > 0:
			p.err = io.EOF
		default:
			p.n = n
		}
		return true
	}
}

// soon is how long a connection that cannot be polled is read: TLS keeps its records to itself.
const soon = time.Millisecond

func (p *PollReader) readSoon(buf []byte) (int, error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(soon)); err != nil {
		return 0, err
	}
	n, err := p.conn.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, ErrWouldBlock
	}
	return n, err
}

// plain is the connection that a wrapper that changes no bytes is around.
func plain(conn net.Conn) net.Conn {
	if w, ok := conn.(interface{ Plain() net.Conn }); ok {
		return w.Plain()
	}
	return conn
}

// transport is the TCP connection below conn, encrypted or not; nil if there is none.
func transport(conn net.Conn) *net.TCPConn {
	conn = plain(conn)
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // *tls.Conn
		conn = t.NetConn()
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}
