package halide

import (
	"math"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// MaxSamples is the longest frame of audio, in samples of one channel.
const MaxSamples = 1 << 20

// Meter is what one frame of one channel measures; full scale is 1.
type Meter = reference.Meter

// Samples is one frame of one or two channels, made by Mono, Stereo or Interleaved.
type Samples[T int16 | float32] struct {
	left, right  []T
	length, step int
}

// Mono views the samples of one channel.
func Mono[T int16 | float32](p []T) Samples[T] {
	return Samples[T]{left: p, length: len(p), step: 1}
}

// Stereo views two channels in memory of their own. The frame is as long as the shorter.
func Stereo[T int16 | float32](left, right []T) Samples[T] {
	n := min(len(left), len(right))
	return Samples[T]{left: left[:n], right: right[:n], length: n, step: 1}
}

// Interleaved views two channels whose samples alternate, left first. An odd last sample is left
// out.
func Interleaved[T int16 | float32](p []T) Samples[T] {
	if len(p) < 2 {
		return Samples[T]{}
	}
	return Samples[T]{left: p, right: p[1:], length: len(p) / 2, step: 2}
}

// Len returns the samples of one channel.
func (s *Samples[T]) Len() int { return s.length }

func (s *Samples[T]) check(call string) error {
	if s.length < 1 || s.length > MaxSamples {
		return wrong(call, "samples", "%d samples outside 1 to %d", s.length, MaxSamples)
	}
	return nil
}

// LevelS16 measures 16 bit samples; full scale is 32768, and a sample of 32767 or -32768 counts as
// clipped. The second meter is zero for one channel. The result is exact.
func LevelS16(s Samples[int16]) ([2]Meter, error) {
	var m [2]Meter
	if err := s.check("LevelS16"); err != nil {
		return m, err
	}
	err := kernels.LevelS16(s.left, s.right, s.length, s.step, &m)
	return m, err
}

// LevelF32 measures float samples, which must be finite: full scale is 1, and a magnitude of 1 or
// more counts as clipped. Squares is within 1e-5 of the exact sum, relatively; the rest is exact.
func LevelF32(s Samples[float32]) ([2]Meter, error) {
	var m [2]Meter
	if err := s.check("LevelF32"); err != nil {
		return m, err
	}
	err := kernels.LevelF32(s.left, s.right, s.length, s.step, &m)
	return m, err
}

// Decibels turns a level, 1 at full scale, into dBFS: -Inf for silence.
func Decibels(level float64) float64 { return 20 * math.Log10(level) }

// RMS returns the root mean square of a meter over n samples.
func RMS(m Meter, n int) float64 {
	if n < 1 {
		return 0
	}
	return math.Sqrt(m.Squares / float64(n))
}
