package link

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipe is a connection in memory whose wire a test can make slow, hold or cut. It works with the
// time of a synctest bubble.
type pipe struct {
	mu       sync.Mutex
	cond     *sync.Cond
	half     [2]half
	capacity int // bytes on their way in one direction
}

// half is one direction.
type half struct {
	chunks  []chunk
	bytes   int
	held    bool          // nothing arrives
	delay   time.Duration // of each byte
	rate    int           // bytes a second, 0 for any
	free    time.Time     // when the wire has carried what was written
	over    bool
	expired bool // the deadline of who reads
}

type chunk struct {
	at time.Time
	b  []byte
}

func newPipe(capacity int) (*pipe, net.Conn, net.Conn) {
	p := &pipe{capacity: capacity}
	p.cond = sync.NewCond(&p.mu)
	return p, &pipeEnd{p, 0}, &pipeEnd{p, 1}
}

// set changes a direction: 0 is from the first end to the second.
func (p *pipe) set(direction int, change func(*half)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.half[direction])
	p.cond.Broadcast()
}

// cut ends both directions at once; what is on its way is lost.
func (p *pipe) cut() {
	for i := range p.half {
		p.set(i, func(h *half) { h.over, h.chunks, h.bytes = true, nil, 0 })
	}
}

type pipeEnd struct {
	p *pipe
	n int
}

// Write implements net.Conn.
func (e *pipeEnd) Write(b []byte) (int, error) {
	const most = 4 << 10
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	h := &e.p.half[e.n]
	for done := 0; done < len(b); {
		for h.bytes >= e.p.capacity && !h.over {
			e.p.cond.Wait()
		}
		if h.over {
			return done, io.ErrClosedPipe
		}
		piece := append([]byte(nil), b[done:min(len(b), done+most)]...)
		at := time.Now()
		if h.rate > 0 {
			if h.free.Before(at) {
				h.free = at
			}
			h.free = h.free.Add(time.Second * time.Duration(len(piece)) / time.Duration(h.rate))
			at = h.free
		}
		h.chunks = append(h.chunks, chunk{at.Add(h.delay), piece})
		h.bytes += len(piece)
		done += len(piece)
		e.p.cond.Broadcast()
	}
	return len(b), nil
}

// Read implements net.Conn.
func (e *pipeEnd) Read(b []byte) (int, error) {
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	h := &e.p.half[1-e.n]
	for {
		switch {
		case h.expired:
			return 0, os.ErrDeadlineExceeded
		case len(h.chunks) == 0 && h.over:
			return 0, io.EOF
		case len(h.chunks) > 0 && !h.held:
			wait := time.Until(h.chunks[0].at)
			if wait <= 0 {
				first := &h.chunks[0]
				n := copy(b, first.b)
				if first.b = first.b[n:]; len(first.b) == 0 {
					h.chunks = h.chunks[1:]
				}
				h.bytes -= n
				e.p.cond.Broadcast()
				return n, nil
			}
			time.AfterFunc(wait, e.p.cond.Broadcast)
		}
		e.p.cond.Wait()
	}
}

// Close implements net.Conn.
func (e *pipeEnd) Close() error {
	e.p.set(e.n, func(h *half) { h.over = true })
	e.p.set(1-e.n, func(h *half) { h.over, h.chunks, h.bytes = true, nil, 0 })
	return nil
}

func (e *pipeEnd) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (e *pipeEnd) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (e *pipeEnd) SetWriteDeadline(time.Time) error { return nil }
func (e *pipeEnd) SetDeadline(t time.Time) error    { return e.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn, for deadlines that never come or have come.
func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	e.p.set(1-e.n, func(h *half) { h.expired = !t.IsZero() && time.Until(t) <= 0 })
	return nil
}
