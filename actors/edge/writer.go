package edge

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// writer is a viewer's goroutine: it follows the ring and writes to the socket. All that waits for
// the viewer waits here, in the ring, in units that are shared by all viewers.
type writer struct {
	*ViewerOptions
	system *actor.ActorSystem
	self   *actor.PID
	ring   *topic.Ring
	reader *topic.Reader
	waiter topic.Waiter
	wake   chan struct{}

	joinedAt time.Time // when the connection was made
	lastUnit time.Time
	lastPoll time.Time
	began    bool // the prologue has been sent
	first    bool // a first unit has been sent
	skips    uint64
	minute   time.Time // when the present minute of skips began
	inMinute int
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
	iov   iovecs
}

func newWriter(
	o *ViewerOptions, ring *topic.Ring, system *actor.ActorSystem, self *actor.PID,
) *writer {
	w := &writer{
		ViewerOptions: o, ring: ring, system: system, self: self,
		reader:   topic.NewReader(ring, media.Time(o.Bounds.Behind)),
		wake:     make(chan struct{}, 1),
		joinedAt: o.Socket.Since,
		lastUnit: time.Now(),
	}
	w.waiter.Wake = w.wakeUp
	return w
}

// wakeUp is called by the ring's writer and must not block.
func (w *writer) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// interrupt ends whatever the writer waits for. Its context is done by now.
func (w *writer) interrupt() {
	w.Socket.interrupt()
	w.wakeUp()
}

func (w *writer) run(ctx context.Context) {
	reason := Broken // what it was if serve panics
	defer func() {
		w.Socket.finish(w.Socket.Protocol.epilogue(reason, w.began), reason)
		w.Metrics.left(w.Socket.Protocol, reason)
		w.system.Root.Send(w.self, &closed{reason})
	}()
	reason = w.serve(ctx)
}

// serve writes until there is a reason not to.
func (w *writer) serve(ctx context.Context) Reason {
	select {
	case <-w.Socket.Ready:
	case <-ctx.Done():
		return Draining
	}
	if err := w.Socket.begin(); err != nil {
		return Broken
	}
	for ctx.Err() == nil {
		wrote, reason, over := w.turn()
		if over {
			if ctx.Err() != nil {
				break
			}
			return reason
		}
		if wrote {
			continue
		}
		if w.ring.Wait(&w.waiter, w.reader.Seen()) {
			<-w.wake
		}
	}
	return Draining
}

// turn writes what there is. It reports whether there was something, or that it is over.
func (w *writer) turn() (wrote bool, reason Reason, over bool) {
	now := time.Now()
	if reason, over = w.inspect(now); over {
		return false, reason, true
	}
	s := w.Metrics.scratch.Get().(*scratch) //nolint:forcetypeassert // the pool holds nothing else
	defer w.release(s)
	units := w.reader.Next(s.units[:0], batchBytes)
	if len(units) == 0 {
		return false, 0, false
	}
	if err := w.write(s, units); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false, Stalled, true
		}
		return false, Left, true
	}
	w.delivered(units, now)
	return true, 0, false
}

func (w *writer) release(s *scratch) {
	clear(s.units[:])
	s.iov.reset()
	w.Metrics.scratch.Put(s)
}

func (w *writer) write(s *scratch, units []*topic.Unit) error {
	if !w.began {
		w.began = true
		s.iov.add(w.Socket.Protocol.prologue())
	}
	for _, u := range units {
		header, rest := u.FLV()
		if w.Socket.Protocol == RTMP {
			header, rest = u.RTMP()
		}
		s.iov.add(header)
		s.iov.add(rest)
	}
	return w.Socket.write(&s.iov, w.Bounds.Stall)
}

func (w *writer) delivered(units []*topic.Unit, began time.Time) {
	w.lastUnit = began
	m := w.Metrics.of(w.Socket.Protocol)
	bytes := 0
	for _, u := range units {
		bytes += len(u.Body)
	}
	m.bytes.Add(float64(bytes))
	m.units.Add(float64(len(units)))
	if !w.first {
		w.first = true
		m.join.Observe(time.Since(w.joinedAt).Seconds())
		return
	}
	if at := units[0].Arrived; at != 0 {
		m.lag.Observe(time.Duration(time.Now().UnixNano() - at).Seconds())
	}
}

// shortest is the least that a viewer waits: an edge needs a moment to hear where a broadcast is.
const shortest = time.Second

// pollEvery is how often a viewer's own messages are looked at: acknowledgements, pings, goodbyes.
const pollEvery = time.Second

// inspect looks after everything that is not media, about once a second.
func (w *writer) inspect(now time.Time) (reason Reason, over bool) {
	if times, _ := w.reader.Skips(); times != w.skips {
		w.Metrics.of(w.Socket.Protocol).skips.Add(float64(times - w.skips))
		w.skipped(int(times-w.skips), now)
		w.skips = times
		if w.Bounds.Skips > 0 && w.inMinute > w.Bounds.Skips {
			return TooSlow, true
		}
	}
	if now.Sub(w.lastPoll) < pollEvery {
		return 0, false
	}
	w.lastPoll = now
	if !w.Socket.poll() {
		return Left, true
	}
	if now.Sub(w.lastUnit) > max(w.Bounds.Wait, shortest) {
		if w.first {
			return Ended, true
		}
		return NotFound, true
	}
	return 0, false
}

func (w *writer) skipped(n int, now time.Time) {
	if now.Sub(w.minute) > time.Minute {
		w.minute, w.inMinute = now, 0
	}
	w.inMinute += n
}

// newScratchPool returns a pool of what writers need while they write.
func newScratchPool() *sync.Pool { return &sync.Pool{New: func() any { return new(scratch) }} }
