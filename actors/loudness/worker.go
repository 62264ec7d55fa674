package loudness

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// logEvery bounds how often a broadcast's clipping, and its bad frames, are logged, in media time.
const logEvery = 60 * media.Second

// worker is the actor's goroutine: it decodes and measures what is in the queue. Only describe is
// for others.
type worker struct {
	machine *Machine
	queue   *queue
	metrics *Metrics
	log     *slog.Logger // says which broadcast it is
	send    func(*Event)

	// seen is the latest unit that was taken on, by any incarnation: one that failed its actor is not
	// tried again.
	seen *atomic.Pointer[topic.Unit]

	silent              bool   // as it was counted
	unavailable         string // as it was logged
	nextClip, nextError media.Time

	mu     sync.Mutex
	report Report
}

func (w *worker) run(ctx context.Context) {
	defer w.end() // after a panic too: the decoder's memory is not Go's
	for u := w.queue.next(ctx); u != nil; u = w.queue.next(ctx) {
		w.unit(u)
	}
}

func (w *worker) end() {
	w.machine.Close()
	if w.silent {
		w.metrics.silent.Dec()
	}
}

func (w *worker) unit(u *topic.Unit) {
	w.seen.Store(u)
	begun, frames := time.Now(), w.machine.frames
	change, err := w.machine.Unit(u)
	if measured := w.machine.frames - frames; measured > 0 {
		w.metrics.seconds.Observe(time.Since(begun).Seconds())
		w.metrics.frames.Add(float64(measured))
	}
	w.changed(change, u.DTS)
	if err != nil && !errors.Is(err, errUnmeasured) {
		w.failed(err, u.DTS)
	}
	w.available()
	w.mu.Lock()
	w.machine.report(&w.report)
	w.mu.Unlock()
	if e := w.machine.Event(); e != nil {
		w.send(e)
	}
}

func (w *worker) changed(c Change, dts media.Time) {
	if c == 0 {
		return
	}
	w.metrics.changed(c)
	w.silent = w.silent && !c.Has(SilenceEnds) || c.Has(SilenceBegins)
	at := slog.Duration("at", time.Duration(dts))
	if c.Has(SilenceBegins) {
		w.log.Info("audio is silent", at)
	}
	if c.Has(SilenceEnds) {
		w.log.Info("audio is audible again", at)
	}
	if c.Has(ClippingBegins) && dts >= w.nextClip {
		w.nextClip = dts + logEvery
		w.log.Info("audio clips", at,
			slog.Uint64("samples", w.machine.meter.clippedSamples),
			slog.Uint64("times", w.machine.meter.watch.clippings))
	}
}

func (w *worker) failed(err error, dts media.Time) {
	w.metrics.errors.Inc()
	if dts < w.nextError {
		return
	}
	w.nextError = dts + logEvery
	w.log.Warn("frame of audio is not measured", slog.Duration("at", time.Duration(dts)),
		slog.Uint64("errors", w.machine.errors), slog.Any("error", err))
}

// available says once that audio cannot be measured, and once that it can be again.
func (w *worker) available() {
	why := w.machine.unavailable
	if why == w.unavailable || why == noAudio {
		return
	}
	w.unavailable = why
	if why == "" {
		w.log.Info("audio is measured again")
		return
	}
	w.log.Warn("audio is not measured", slog.String("reason", why))
}

// describe is safe for use beside run.
func (w *worker) describe() *Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.report
	r.Dropped = w.queue.losses()
	return &r
}
