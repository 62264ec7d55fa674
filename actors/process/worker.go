package process

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// worker is the goroutine that does an actor's work. Its methods but run are for the actor.
type worker struct {
	*Options
	incarnation uint64
	log         *slog.Logger
	queue       *queue
	send        func(msg any) // to the gate
	now         func() time.Time
	open        func(context.Context) (engine, error)

	engine engine
	pacer  pacer
	live   bool // decoding has caught up with the source
	ready  bool // the gate knows that
	fault  string

	busy  atomic.Int64 // since when it is at one piece of work, in Unix nanoseconds; 0 if it is not
	lease atomic.Pointer[lease]
	gone  atomic.Bool // the actor has ended: what still comes is not sent
}

// run works until ctx is done. A failure of the engine is a panic: the actor's.
func (w *worker) run(ctx context.Context) {
	engine, err := w.open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		panic(err)
	}
	w.engine = engine
	defer engine.close()
	for {
		next, ok := w.queue.next(ctx)
		if !ok {
			return
		}
		if err := w.turn(ctx, next); err != nil {
			if ctx.Err() != nil { // the engine was stopped, not broken
				return
			}
			panic(fmt.Errorf("rendition %s: %w", w.Name, err))
		}
	}
}

func (w *worker) turn(ctx context.Context, next work) error {
	switch {
	case next.order != nil || next.drill:
		return w.within(ctx, func() error { return w.command(next) })
	case next.item.live:
		w.live = true
		return w.within(ctx, w.resume)
	}
	backlog := w.now().Sub(next.item.at)
	if w.unhurried {
		backlog = 0
	}
	pace, skip := w.pacer.pace(backlog)
	if skip && next.item.unit.Role != media.Keyframe && !next.item.catchup {
		w.Metrics.dropped(1 + w.queue.skip())
		w.queue.lost()
		return nil
	}
	if next.item.catchup || !w.live {
		pace = 0
	}
	return w.within(ctx, func() error { return w.push(next.item, pace) })
}

// within does one piece of work in a slot of the node, in sight of the actor.
func (w *worker) within(ctx context.Context, do func() error) error {
	lease := w.Slots.take(ctx, w.Metrics.slots)
	if lease == nil {
		return ctx.Err()
	}
	w.lease.Store(lease)
	w.busy.Store(w.now().UnixNano())
	defer func() {
		w.busy.Store(0)
		lease.end()
	}()
	return do()
}

// stuck tells how long the worker has been at one piece of work.
func (w *worker) stuck() time.Duration {
	if since := w.busy.Load(); since != 0 {
		return time.Duration(w.now().UnixNano() - since)
	}
	return 0
}

// abandon gives up a worker that is stuck: its slot goes to others, though its thread may go on.
func (w *worker) abandon() {
	if lease := w.lease.Load(); lease != nil {
		lease.end()
	}
}

// command carries out an order, and the drill.
func (w *worker) command(next work) error {
	if next.drill {
		if err := w.engine.segfault(); err != nil {
			w.log.Warn("drill", slog.Any("error", err))
		}
	}
	if next.order == nil {
		return nil
	}
	from, err := w.engine.order(next.order)
	if err != nil {
		return err
	}
	w.send(&Applied{
		Name: w.Name, Incarnation: w.incarnation, Version: next.order.Version, From: from,
	})
	if !w.live {
		return nil
	}
	return w.resume()
}

func (w *worker) resume() error {
	report, err := w.engine.resume(w.emit)
	w.tell(&report)
	return err
}

func (w *worker) push(i *item, pace int) error {
	report, err := w.engine.push(&i.unit, pace, w.emit)
	w.Metrics.late(w.now().Sub(i.at))
	w.tell(&report)
	return err
}

func (w *worker) emit(o *Output) error {
	w.fault = ""
	if !w.gone.Load() {
		w.send(o)
	}
	return nil
}

// tell counts a report, and tells the gate what it needs to know of it.
func (w *worker) tell(r *Report) {
	w.Metrics.report(r)
	if r.Fault != "" && r.Fault != w.fault {
		w.log.Warn("no picture comes", slog.String("reason", r.Fault))
		w.send(&Fault{Name: w.Name, Incarnation: w.incarnation, Reason: r.Fault})
	}
	w.fault = r.Fault
	if w.live && r.Decoding && !w.ready {
		w.ready = true
		w.send(&Ready{Name: w.Name, Incarnation: w.incarnation})
	}
}
