package edge

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrWouldBlock says that there is nothing to read now.
var ErrWouldBlock = errors.New("nothing to read now")

// PollReader reads a connection: waiting for bytes while it is negotiated and, after Poll, only
// what is there, so that a viewer needs no goroutine for the little that it sends.
type PollReader struct {
	conn    net.Conn
	polling bool
	direct  bool // fd can be read
	fd      uintptr
}

// NewPollReader returns a reader of conn that waits.
func NewPollReader(conn net.Conn) *PollReader { return &PollReader{conn: conn} }

// Poll makes Read return ErrWouldBlock instead of waiting. Whoever reads from then on owns the
// connection: nobody else may close it meanwhile.
func (p *PollReader) Poll() {
	p.polling = true
	if tcp, ok := plain(p.conn).(*net.TCPConn); ok {
		var err error
		p.fd, err = descriptor(tcp)
		p.direct = err == nil
	}
}

// Read implements io.Reader.
func (p *PollReader) Read(buf []byte) (int, error) {
	switch {
	case !p.polling:
		return p.conn.Read(buf)
	case !p.direct:
		return p.readSoon(buf)
	}
	for {
		n, err := unix.Read(int(p.fd), buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, ErrWouldBlock
		case err != nil:
			return 0, err
		case n == 0 && len(buf) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// descriptor is that of a connection, for as long as it is not closed.
func descriptor(tcp *net.TCPConn) (fd uintptr, err error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = raw.Control(func(n uintptr) { fd = n })
	return fd, err
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
