package loudness

import (
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/topic"
)

// BenchmarkMeter is level, K-weighting and meter of a stereo frame, without its decoding.
func BenchmarkMeter(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	noise := make([]float32, frameLength)
	for i := range noise {
		noise[i] = float32(0.1 * r.NormFloat64())
	}
	for name, p := range map[string][]float32{
		"noise": noise, "silence": make([]float32, frameLength),
	} {
		b.Run(name, func(b *testing.B) {
			m := NewMeter(DefaultThresholds())
			push(b, m, 48000, noise, true)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Push(48000, p, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFrame is the whole of it: AAC decoding, level, K-weighting and meter of one stereo frame
// of 1024 samples of speech, and what the worker counts and reports. BenchmarkEvent comes on top,
// once in about ten frames.
func BenchmarkFrame(b *testing.B) {
	units := load(b, record(b, recordings()["speech"]))
	metrics, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	w := &worker{
		machine: newMachine(DefaultThresholds(), openAAC), queue: newQueue(), metrics: metrics,
		seen: &atomic.Pointer[topic.Unit]{}, log: slog.New(slog.DiscardHandler),
		send: func(*Event) {},
	}
	defer w.end()
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		w.unit(units[i%len(units)])
		i++
	}
	if w.machine.errors > 0 {
		b.Fatal(w.machine.errors, "errors")
	}
}

// BenchmarkEvent makes what players are told.
func BenchmarkEvent(b *testing.B) {
	m := NewMeter(DefaultThresholds())
	push(b, m, 48000, sine(48000, 0, 48000, 997, -20), true)
	b.ReportAllocs()
	for b.Loop() {
		r := m.Reading()
		newEvent(0, &r, m.Lap())
	}
}

// TestFrameAllocations holds the steady state to no allocation a frame, decoding included.
func TestFrameAllocations(t *testing.T) {
	units := load(t, record(t, recordings()["speech"]))
	m := newMachine(DefaultThresholds(), openAAC)
	defer m.Close()
	i := 0
	if n := testing.AllocsPerRun(len(units)-2, func() {
		if _, err := m.Unit(units[i%len(units)]); err != nil {
			t.Fatal(err)
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
