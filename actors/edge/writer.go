package edge

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// writer is a viewer's goroutine: it follows the ring and writes to the socket. All that waits for
// the viewer waits here, in the ring, in units that are shared by all viewers.
//
// Its stack is the largest part of what a viewer costs, and a stack that has grown does not shrink
// again. So what is done for every unit stays within the two kilobytes that a stack begins with,
// and whoever has gone deeper, to begin, to wait for a full send buffer or to read what the viewer
// has sent, hands over to a fresh goroutine before it waits: see Socket.deep.
type writer struct {
	*ViewerOptions
	system     *actor.ActorSystem
	self       *actor.PID
	goroutines *own.Group
	ring       *topic.Ring
	reader     *topic.Reader

	lastUnit int64 // Unix nanoseconds, as all times below
	lastPoll int64
	open     bool // the connection is ours
	began    bool // the prologue has been sent
	first    bool // a first unit has been sent
	skips    uint64
	minute   int64 // when the present minute of skips began
	inMinute int

	bytes, units int   // delivered, and not accounted for yet
	lag          int64 // nanoseconds from a unit's arrival to its being written; 0 is not measured yet
}

// What one vectored write takes at the most: enough to keep system calls few, little enough that a
// viewer who stops reading holds no more than this of units that the ring has dropped.
const (
	batchUnits = 64
	batchBytes = 256 << 10
)

// scratch is the memory of one write, lent to a writer while it has something to write.
type scratch struct {
	units [batchUnits]*topic.Unit
	used  []*topic.Unit // of units
	iov   iovecs
}

func newWriter(
	o *ViewerOptions, ring *topic.Ring, goroutines *own.Group, system *actor.ActorSystem,
	self *actor.PID,
) *writer {
	return &writer{
		ViewerOptions: o, ring: ring, goroutines: goroutines, system: system, self: self,
		reader:   topic.NewReader(ring, media.Time(o.Bounds.Behind)),
		lastUnit: ring.Clock(),
	}
}

// interrupt ends whatever the writer waits for.
func (w *writer) interrupt() {
	w.Socket.interrupt()
	w.ring.Nudge()
}

// run writes until it is over, or goes on on a goroutine with a smaller stack.
func (w *writer) run(context.Context) {
	reason, over := Broken, true // what it was if serve panics
	defer func() {
		if over {
			w.end(reason)
		}
	}()
	reason, over = w.serve()
	if !over && !w.goroutines.Go("writer", w.run) {
		reason, over = Draining, true
	}
}

func (w *writer) end(reason Reason) {
	w.account()
	w.Socket.finish(w.Socket.Protocol.epilogue(reason, w.began), reason)
	w.Metrics.left(w.Socket.Protocol, reason)
	w.system.Root.Send(w.self, &closed{reason})
}

// serve writes until there is a reason not to, or until its stack has grown.
func (w *writer) serve() (reason Reason, over bool) {
	if !w.open {
		if reason, over = w.takeOver(); over {
			return reason, true
		}
	}
	for {
		turn := w.ring.Turn() // first, see there
		if w.Socket.stopped.Load() {
			return Draining, true
		}
		if reason, over = w.turn(); over {
			if w.Socket.stopped.Load() {
				reason = Draining
			}
			return reason, true
		}
		if w.reader.Pending() {
			continue
		}
		if w.Socket.deep {
			w.Socket.deep = false
			return 0, false
		}
		<-turn
	}
}

// takeOver waits for the end of the negotiation and begins.
func (w *writer) takeOver() (reason Reason, over bool) {
	for !w.open {
		turn := w.ring.Turn()
		if w.Socket.stopped.Load() {
			return Draining, true
		}
		select {
		case <-w.Socket.Ready:
			w.open = true
		case <-turn:
		}
	}
	if err := w.Socket.begin(); err != nil {
		if w.Socket.stopped.Load() {
			return Draining, true
		}
		return Broken, true
	}
	return 0, false
}

// turn writes what there is, as far as one write goes, or reports that it is over.
func (w *writer) turn() (reason Reason, over bool) {
	now := w.ring.Clock()
	if now-w.lastPoll >= int64(pollEvery) {
		w.lastPoll = now
		if reason, over = w.inspect(now); over {
			return reason, true
		}
	}
	s := w.Metrics.scratch.Get().(*scratch) //nolint:forcetypeassert // the pool holds nothing else
	defer w.release(s)
	s.used = w.reader.Next(s.units[:0], batchBytes)
	if len(s.used) == 0 {
		return 0, false
	}
	if err := w.write(s); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return Stalled, true
		}
		return Left, true
	}
	w.delivered(s.used, now)
	return 0, false
}

func (w *writer) release(s *scratch) {
	clear(s.used)
	s.used = nil
	s.iov.reset()
	w.Metrics.scratch.Put(s)
}

func (w *writer) write(s *scratch) error {
	if !w.began {
		w.began = true
		s.iov.add(w.Socket.Protocol.prologue())
	}
	for _, u := range s.used {
		header, rest := u.FLV()
		if w.Socket.Protocol == RTMP {
			header, rest = u.RTMP()
		}
		s.iov.add(header)
		s.iov.add(rest)
	}
	return w.Socket.write(&s.iov, w.Bounds.Stall)
}

// delivered counts in the writer's own memory: counters that all viewers share are cache lines that
// all processors fight for. They are brought up to date by account.
func (w *writer) delivered(units []*topic.Unit, now int64) {
	w.lastUnit = now
	for _, u := range units {
		w.bytes += len(u.Body)
	}
	w.units += len(units)
	if at := units[0].Arrived; w.lag == 0 && at != 0 && w.first {
		w.lag = time.Now().UnixNano() - at
	}
	if !w.first {
		w.first = true
		w.Metrics.of(w.Socket.Protocol).join.Observe(time.Since(w.Socket.Since).Seconds())
	}
}

// account adds to the shared counters what was delivered since the last time, and the lag of one
// write out of it.
func (w *writer) account() {
	m := w.Metrics.of(w.Socket.Protocol)
	m.bytes.Add(float64(w.bytes))
	m.units.Add(float64(w.units))
	if w.lag != 0 {
		m.lag.Observe(time.Duration(w.lag).Seconds())
	}
	w.bytes, w.units, w.lag = 0, 0, 0
}

// shortest is the least that a viewer waits: an edge needs a moment to hear where a broadcast is.
const shortest = time.Second

// pollEvery is how often everything that is not media is looked after: acknowledgements, pings,
// goodbyes, counters, bounds.
const pollEvery = time.Second

func (w *writer) inspect(now int64) (reason Reason, over bool) {
	w.account()
	if !w.Socket.silent() && !w.Socket.poll(w.Bounds.Stall) {
		return Left, true
	}
	times, _ := w.reader.Skips()
	if n := times - w.skips; n > 0 {
		w.skips = times
		w.Metrics.of(w.Socket.Protocol).skips.Add(float64(n))
		if w.tooMany(int(n), now) {
			return TooSlow, true
		}
	}
	wait, reason := max(w.Bounds.Wait, shortest), NotFound
	if w.first {
		wait, reason = max(wait, w.Bounds.Grace), Ended
	}
	return reason, now-w.lastUnit > int64(wait)
}

// tooMany counts skips by the minute.
func (w *writer) tooMany(n int, now int64) bool {
	if now-w.minute > int64(time.Minute) {
		w.minute, w.inMinute = now, 0
	}
	w.inMinute += n
	return w.Bounds.Skips > 0 && w.inMinute > w.Bounds.Skips
}

// newScratchPool returns a pool of what writers need while they write.
func newScratchPool() *sync.Pool { return &sync.Pool{New: func() any { return new(scratch) }} }
