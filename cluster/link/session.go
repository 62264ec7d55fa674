package link

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/actors/own"
)

// How often a node says that it lives, how long the other may be silent, and how often it is looked
// whether it is: a tick is what is counted, so that a process that was suspended does not take its
// own absence for the other's.
const (
	heartbeat  = time.Second
	silence    = 3 * time.Second
	tick       = 500 * time.Millisecond
	tickBeats  = int(heartbeat / tick)
	tickSilent = int(silence / tick)
)

// session is one connection, of either side, after its hello.
type session struct {
	*wire

	control *control
	fill    func(*batch)       // adds media to a batch; nil where none is sent
	take    func(*frame) error // takes what came
	waiting func() int         // what waits to be written, in bytes; nil where nothing does
	metrics *sideMetrics

	due     atomic.Bool  // a ping is to be written
	pong    atomic.Int64 // the stamp to be answered, 0 for none
	once    sync.Once
	done    chan struct{}
	written chan struct{} // the writer has ended
	reason  Reason
	err     error
	skips   int // the writer's
}

// newSession makes the session of a connection on which the hellos were exchanged.
func newSession(w *wire, m *sideMetrics) *session {
	return &session{
		wire: w, control: newControl(), metrics: m,
		done: make(chan struct{}), written: make(chan struct{}),
	}
}

// run serves the connection until it is over, which it has said why. It reads; two goroutines more
// write, and see whether the other side lives.
func (s *session) run(ctx context.Context, g *own.Group) (Reason, error) {
	stop := context.AfterFunc(ctx, func() { s.end(Stopped, ctx.Err()) })
	defer stop()
	s.metrics.up.Inc()
	defer s.metrics.up.Dec()
	if !g.Go("write", s.write) {
		close(s.written)
		s.end(Stopped, context.Canceled)
	}
	if !g.Go("heart", s.heart) {
		s.end(Stopped, context.Canceled)
	}
	s.read()
	<-s.done
	<-s.written
	s.metrics.ends[s.reason].Inc()
	return s.reason, s.err
}

// end ends the connection, for the first reason that there is.
func (s *session) end(why Reason, err error) {
	s.once.Do(func() {
		s.reason, s.err = why, err
		abort(s.conn, why == Silent)
		close(s.done)
	})
}

func (s *session) read() {
	var f frame
	for {
		err := s.parser.next(&f)
		if err == nil {
			err = s.frame(&f)
		}
		switch {
		case err == nil:
		case errors.Is(err, ErrFormat):
			s.end(Malformed, err)
			return
		case errors.Is(err, io.EOF):
			s.end(Closed, err)
			return
		default:
			s.end(Failed, err)
			return
		}
	}
}

func (s *session) frame(f *frame) error {
	switch f.typ {
	case typePing:
		s.pong.Store(f.stamp)
		s.control.ring()
	case typePong:
		if ago := time.Now().UnixNano() - f.stamp; ago >= 0 {
			s.metrics.trip.Observe(time.Duration(ago).Seconds())
		}
	case typeUnit:
		s.metrics.units.Inc()
		return s.take(f)
	default:
		return s.take(f)
	}
	return nil
}

// heart has a ping written every so often, and ends the connection if nothing comes any more.
func (s *session) heart(context.Context) {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	waited := 0
	defer func() { s.metrics.queue.Add(float64(-waited)) }()
	heard, missed := s.ear.heard.Load(), 0
	for n := 0; ; n++ {
		select {
		case <-timer.C:
		case <-s.done:
			return
		}
		if now := s.ear.heard.Load(); now != heard {
			heard, missed = now, 0
		} else if missed++; missed >= tickSilent {
			s.end(Silent, errSilent)
			return
		}
		if n%tickBeats != 0 {
			continue
		}
		s.due.Store(true)
		s.control.ring()
		if s.waiting != nil {
			now := s.waiting()
			s.metrics.queue.Add(float64(now - waited))
			waited = now
		}
	}
}

var errSilent = errors.New("nothing came for 3 s")

// write writes what there is whenever there is something.
func (s *session) write(context.Context) {
	defer close(s.written)
	b := newBatch()
	for {
		select {
		case <-s.control.bell:
		case <-s.done:
			return
		}
		for s.gather(b) {
			if err := send(s.conn, b); err != nil {
				s.end(Failed, err)
				return
			}
			s.account(b)
		}
		b.reset()
	}
}

// gather fills the batch anew, and reports whether there is something in it.
func (s *session) gather(b *batch) bool {
	b.reset()
	b.small = s.control.take(b.small)
	if stamp := s.pong.Swap(0); stamp != 0 {
		b.stamp(typePong, stamp)
	}
	if s.due.Swap(false) {
		b.stamp(typePing, time.Now().UnixNano())
	}
	if s.fill != nil {
		s.fill(b)
	}
	b.flush()
	s.metrics.skips.Add(float64(b.skips))
	s.skips += b.skips
	return len(b.pieces) > 0
}

func (s *session) account(b *batch) {
	s.metrics.sent.Add(float64(b.size))
	s.metrics.units.Add(float64(len(b.units)))
}
