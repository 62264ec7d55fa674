package edge

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// Socket is a viewer's connection.
type Socket struct {
	Conn     net.Conn
	Protocol Protocol
	// Guard reads an RTMP viewer's messages, from a PollReader that polls. HTTP viewers have none.
	Guard *rtmp.Guard
	// Ready is closed when the negotiation has let go of the connection.
	Ready <-chan struct{}
	// Since is when the connection was made.
	Since time.Time
	// SendBuffer bounds what the kernel holds for the viewer, in bytes; 0 leaves it to the kernel.
	SendBuffer int
	// Rendition is what the viewer asked for, "" for the public one.
	Rendition string

	direct  bool // fd can be written; else the bytes have to pass through Conn: TLS
	fd      uintptr
	iov     *iovecs
	err     error
	patient bool // a full send buffer is waited for
	taken   int  // bytes written by the present step
	dirty   bool // a unit was written in part
	heard   byte // what silent has seen
	unread  bool // poll has left something with the guard
	deep    bool // the owner's stack has grown: set by whatever needs more than a fresh one has
	stopped atomic.Bool
	owned   atomic.Bool
}

// Own makes the caller the connection's owner, who alone writes to it and closes it, and reports
// whether it did: the first to ask is. A viewer's actor asks when it starts, a listener when it has
// been told that there is none, which may come too late to be true.
func (s *Socket) Own() bool { return s.owned.CompareAndSwap(false, true) }

// begin takes the connection over.
func (s *Socket) begin() error {
	s.Ready = nil // it has served
	if tcp, ok := plain(s.Conn).(*net.TCPConn); ok {
		var err error
		if s.fd, err = descriptor(tcp); err != nil {
			return err
		}
		s.direct, s.deep = true, true
	}
	s.unread = true // perhaps, from the negotiation
	if tcp := transport(s.Conn); tcp != nil && s.SendBuffer > 0 {
		if err := tcp.SetWriteBuffer(s.SendBuffer); err != nil {
			return err
		}
	}
	if s.Guard != nil {
		s.Guard.Compact()
	}
	if err := s.Conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	if s.stopped.Load() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// interrupt makes a write that waits return.
func (s *Socket) interrupt() {
	s.stopped.Store(true)
	_ = s.Conn.SetDeadline(time.Unix(1, 0))
}

// farewell bounds the last write to a viewer, who may not be reading.
const farewell = 200 * time.Millisecond

// finish writes the last words, if they can be understood, and closes the connection.
func (s *Socket) finish(words []byte, why Reason) {
	if len(words) > 0 && !s.dirty && why != Left && why != Broken {
		_ = s.Conn.SetWriteDeadline(time.Now().Add(farewell))
		_, _ = s.Conn.Write(words) // it is closed in any case
	}
	if tcp := transport(s.Conn); tcp != nil && why == Stalled {
		_ = tcp.SetLinger(0) // what it does not read is not worth kernel memory
	}
	_ = s.Conn.Close()
}

// write writes all of iov. In the ordinary case that is one system call and nothing else; only when
// the send buffer is full does it arm a deadline and wait. It fails with os.ErrDeadlineExceeded if
// the viewer takes nothing for the time of stall, or not all in trickle times that.
func (s *Socket) write(iov *iovecs, stall time.Duration) error {
	if !s.direct {
		return s.writeThrough(iov, stall)
	}
	s.iov, s.err, s.dirty = iov, nil, true
	s.patient = false
	s.writeStep(s.fd) // only its owner closes the connection, see Own: fd is no other's
	if s.err == nil && iov.left() > 0 {
		return s.writePatiently(stall)
	}
	s.dirty = s.err != nil
	return s.err
}

// writePatiently writes what is left, as the send buffer has room for it.
func (s *Socket) writePatiently(stall time.Duration) error {
	s.deep = true
	raw, err := plain(s.Conn).(*net.TCPConn).SyscallConn() //nolint:forcetypeassert // it is direct
	if err != nil {
		return err
	}
	for range trickle {
		if err := s.arm(stall); err != nil {
			return err
		}
		s.patient, s.taken = true, 0
		err := raw.Write(s.writeStep)
		switch {
		case err != nil && (s.taken == 0 || s.stopped.Load()):
			return err
		case s.err != nil:
			return s.err
		case s.iov.left() == 0:
			s.dirty = false
			return s.disarm()
		}
	}
	return os.ErrDeadlineExceeded
}

// trickle is how many times stall one write may take.
const trickle = 4

func (s *Socket) arm(stall time.Duration) error {
	if err := s.Conn.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return err
	}
	if s.stopped.Load() {
		return s.Conn.SetWriteDeadline(time.Unix(1, 0))
	}
	return nil
}

func (s *Socket) disarm() error {
	if s.stopped.Load() {
		return nil
	}
	return s.Conn.SetWriteDeadline(time.Time{})
}

// writeStep writes until all is written or the send buffer is full. It returns false to be called
// again when there is room.
func (s *Socket) writeStep(fd uintptr) bool {
	for s.iov.left() > 0 {
		vec := s.iov.vec[s.iov.first:s.iov.n]
		n, _, errno := unix.Syscall(unix.SYS_WRITEV, fd,
			uintptr(unsafe.Pointer(&vec[0])), uintptr(len(vec))) //nolint:gosec // what writev takes
		switch errno {
		case 0:
			s.iov.advance(int(n))
			s.taken += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return !s.patient
		default:
			s.err = errno
			return true
		}
	}
	return true
}

// writeThrough writes by way of the connection, which has to see every byte. Here no stack stays
// small: there is no use in a fresh one.
func (s *Socket) writeThrough(iov *iovecs, stall time.Duration) error {
	s.dirty = true
	if err := s.arm(stall); err != nil {
		return err
	}
	if _, err := s.Conn.Write(iov.join()); err != nil {
		return err
	}
	s.dirty = false
	return nil
}

// mostAtOnce bounds what is looked at in one poll, in messages or pieces: a viewer who floods the
// node waits in his own socket.
const mostAtOnce = 64

// silent reports whether the viewer has sent nothing that poll has not seen. It is all that a
// viewer mostly has to be asked, and little.
func (s *Socket) silent() bool {
	if !s.direct || s.unread {
		return false
	}
	_, _, errno := unix.Syscall6(unix.SYS_RECVFROM, s.fd, uintptr(unsafe.Pointer(&s.heard)), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // what recvfrom takes
	return errno == unix.EAGAIN
}

// poll looks at what the viewer has sent, without waiting. It reports false when he has left. stall
// bounds the time to answer him.
func (s *Socket) poll(stall time.Duration) bool {
	s.deep, s.unread = s.direct, false
	if s.Guard == nil {
		return s.pollHTTP()
	}
	for range mostAtOnce {
		msg, err := s.Guard.Next()
		if err != nil {
			return errors.Is(err, ErrWouldBlock)
		}
		if pong := rtmp.Pong(msg); pong != nil && s.answer(pong, stall) != nil {
			return false
		}
		if msg.Type != rtmp.TypeCommand {
			continue
		}
		cmd, err := rtmp.ParseCommand(msg.Body)
		if err != nil || cmd.Name == "deleteStream" || cmd.Name == "closeStream" {
			return false
		}
	}
	s.unread = true
	return true
}

// answer writes a message between two units.
func (s *Socket) answer(b []byte, stall time.Duration) error {
	if err := s.arm(stall); err != nil {
		return err
	}
	s.dirty = true
	if _, err := s.Conn.Write(b); err != nil {
		return err
	}
	s.dirty = false
	return s.disarm()
}

// pollHTTP reads and forgets what an HTTP viewer sends after his request, until he ends.
func (s *Socket) pollHTTP() bool {
	if !s.direct {
		return true
	}
	var buf [256]byte
	for range mostAtOnce {
		n, err := unix.Read(int(s.fd), buf[:])
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return true
		case err != nil, n == 0:
			return false
		}
	}
	return true
}
