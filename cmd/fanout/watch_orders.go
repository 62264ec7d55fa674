package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// obey reads orders and reports whether there will be no more.
func (w *watch) obey() (end bool, err error) {
	n, err := unix.Read(orderFD, w.buffer)
	if err != nil {
		return false, fmt.Errorf("read orders: %w", err)
	}
	if n == 0 {
		return true, nil
	}
	w.orders = append(w.orders, w.buffer[:n]...)
	line, rest, ok := bytes.Cut(w.orders, []byte("\n"))
	if !ok {
		return false, nil
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return false, fmt.Errorf("order %q: %w", line, err)
	}
	w.orders = append([]byte(nil), rest...)
	return false, w.take(o)
}

func (w *watch) take(o order) error {
	switch o.Op {
	case opBegin:
		w.tally, w.delays, w.failure = tally{}, histogram{}, nil
		return w.answer(answer{})
	case opEnd:
		w.Delay = w.delays.spread()
		a := answer{tally: w.tally}
		if w.failure != nil {
			a.Error = w.failure.Error()
		}
		return w.answer(a)
	case opJoin, opProbe, opCrowd:
		w.task = &task{order: o, begin: w.clock.now()}
		return nil
	}
	return fmt.Errorf("unknown order %q", o.Op)
}

func (w *watch) answer(a answer) error {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return fmt.Errorf("getrusage: %w", err)
	}
	a.CPU = float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	return w.write(a)
}

// step lets those viewers set out whose time has come, and ends the order when all have arrived. It
// returns how many milliseconds there is nothing to do, -1 for ever.
func (w *watch) step() (int, error) {
	t := w.task
	if t == nil {
		return -1, nil
	}
	now := w.clock.now()
	for t.started < t.Count && now >= t.begin+int64(t.started)*int64(t.Every) {
		if err := w.join(t.Op); err != nil {
			return 0, err
		}
		t.started++
	}
	if t.done+t.failed == t.Count {
		return -1, w.finish()
	}
	last := t.begin + int64(t.Count)*int64(t.Every)
	if now > last+int64(orderDeadline) {
		w.giveUp()
		return -1, w.finish()
	}
	if t.started == t.Count {
		return 100, nil
	}
	next := t.begin + int64(t.started)*int64(t.Every) - now
	return int(max(next, 0)/int64(time.Millisecond)) + 1, nil
}

// giveUp closes the viewers that did not arrive in time.
func (w *watch) giveUp() {
	for _, v := range w.viewers {
		if v != nil && v.op == w.task.Op && !v.arrived {
			w.leave(v, fmt.Errorf("not there after %v, at stage %d", orderDeadline, v.stage))
		}
	}
}

func (w *watch) finish() error {
	t := w.task
	w.task = nil
	a := answer{
		Failed:   t.failed,
		Joins:    t.joins.spread(),
		Accepted: float64(t.accepted-t.begin) / 1e9,
		CaughtUp: float64(t.caughtUp-t.begin) / 1e9,
		tally:    w.tally,
	}
	if t.failure != nil {
		a.Error = t.failure.Error()
	}
	return w.answer(a)
}

// accepted notes that a server has granted a viewer's request.
func (w *watch) accepted(v *viewer) {
	v.stage = watching
	if t := w.task; t != nil && t.Op == v.op {
		t.accepted = w.now
	}
}

// progress notes that a viewer has its first keyframe, or has caught up.
func (w *watch) progress(v *viewer) {
	t := w.task
	if v.arrived || v.keyframe == 0 || v.caughtUp == 0 && v.op != opProbe {
		return
	}
	v.arrived = true
	if t == nil || t.Op != v.op {
		return
	}
	t.done++
	t.caughtUp = w.now
	t.joins.add(v.keyframe - v.start)
}
