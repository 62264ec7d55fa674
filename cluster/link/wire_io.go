package link

import (
	"net"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// wire is a connection and what reads it.
type wire struct {
	conn   net.Conn
	ear    *ear
	parser *parser
	node   string // the other's name
}

func newWire(conn net.Conn, maxBody int, m *sideMetrics) *wire {
	e := &ear{conn: conn, bytes: m.received}
	return &wire{conn: conn, ear: e, parser: newParser(e, maxBody)}
}

// ear reads a connection and notes that something came.
type ear struct {
	conn  net.Conn
	bytes prometheus.Counter
	heard atomic.Uint64 // changes with every read that brings something
}

// Read implements io.Reader.
func (e *ear) Read(p []byte) (int, error) {
	n, err := e.conn.Read(p)
	if n > 0 {
		e.heard.Add(1)
		e.bytes.Add(float64(n))
	}
	return n, err
}

// vector is what is left of a vectored write.
type vector = net.Buffers

// unsent bounds what the kernel takes of a link beyond what is on its way: what is in it cannot be
// skipped.
const unsent = 64 << 10

// prepare sets a connection up for a link.
func prepare(conn net.Conn) {
	tcp := transport(conn)
	if tcp == nil {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // without it a slow link is only slower to skip
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
	})
}

// transport is the TCP connection below conn, encrypted or not; nil if there is none.
func transport(conn net.Conn) *net.TCPConn {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // *tls.Conn
		conn = t.NetConn()
	}
	tcp, _ := conn.(*net.TCPConn)
	return tcp
}

// abort closes a connection at once, whoever is writing to it. With dead, nothing that waits for
// the other side is kept.
func abort(conn net.Conn, dead bool) {
	tcp := transport(conn)
	if tcp == nil {
		_ = conn.Close()
		return
	}
	if dead {
		_ = tcp.SetLinger(0)
	}
	_ = tcp.Close()
}

// send writes a batch: by one vectored write for as much as the kernel takes, or piece by piece
// where the bytes have to pass through the connection.
func send(conn net.Conn, b *batch) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return sendThrough(conn, b)
	}
	b.rest = b.pieces
	_, err := b.rest.WriteTo(tcp)
	return err
}

// Pieces are joined up to joinedSize; a larger one than joinPiece is not copied for that.
const (
	joinedSize = 64 << 10
	joinPiece  = 16 << 10
)

func sendThrough(conn net.Conn, b *batch) error {
	if b.joined == nil {
		b.joined = make([]byte, 0, joinedSize)
	}
	out := b.joined[:0]
	for _, p := range b.pieces {
		if len(out)+len(p) > joinedSize || len(p) > joinPiece {
			if _, err := conn.Write(out); err != nil {
				return err
			}
			out = out[:0]
		}
		if len(p) <= joinPiece {
			out = append(out, p...)
			continue
		}
		if _, err := conn.Write(p); err != nil {
			return err
		}
	}
	if len(out) == 0 {
		return nil
	}
	_, err := conn.Write(out)
	return err
}
