package loudness

import (
	"errors"
	"fmt"
	"math"

	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/halide"
)

// ErrSamples says that a frame cannot be audio: it was decoded from damage.
var ErrSamples = errors.New("samples are no audio")

// plausible is the greatest sample that is taken for audio, 36 dB above full scale. One beyond it
// would outweigh hours in what is counted since the start.
const plausible = 64

// Meter measures a broadcast frame by frame. It is a plain value, not safe for concurrent use, of
// the same size however long the broadcast is, and allocates only when the sample rate changes.
//
// Time is what the frames last, so that a gap between them is no silence.
type Meter struct {
	filter   *halide.KWeighted
	rate     int
	channels int

	// The block that is being filled. fill counts samples ten times, so that a block is full at
	// rate, exactly, at any rate; energy and span are in seconds, as the rate may change within it.
	fill         int
	energy, span float64

	windows                windows
	gate                   gate
	watch                  watch
	maxMomentary, maxShort float64
	momentary, shortTerm   float64
	frame, lap, total      level
	measured               media.Time
	clippedSamples         uint64
}

// level sums up samples.
type level struct {
	squares float64
	samples float64 // of all channels
	peak    float64
}

func (l *level) add(m level) {
	l.squares += m.squares
	l.samples += m.samples
	l.peak = max(l.peak, m.peak)
}

func (l *level) power() float64 {
	if l.samples == 0 {
		return 0
	}
	return l.squares / l.samples
}

// Level is the level of some audio in dBFS. RMS is over the samples of all channels, so that a sine
// of full scale is at -3.01; Peak is the greatest sample of any.
type Level struct{ RMS, Peak float64 }

func (l *level) decibels() Level {
	return Level{RMS: decibels(l.power()), Peak: decibels(l.peak * l.peak)}
}

// NewMeter returns a meter that has heard nothing.
func NewMeter(t Thresholds) *Meter {
	return &Meter{
		watch:        newWatch(t),
		momentary:    Floor,
		shortTerm:    Floor,
		maxMomentary: Floor,
		maxShort:     Floor,
	}
}

// Push measures one frame, full scale 1, of one channel if right is nil; the frame is as long as
// the shorter one. Rates from 8000 to 384000 hertz are measured. A frame with an error, which wraps
// ErrSamples or is an *halide.ArgumentError, leaves no trace.
func (m *Meter) Push(rate int, left, right []float32) (Change, error) {
	frame := halide.Mono(left)
	channels := 1
	if right != nil {
		frame = halide.Stereo(left, right)
		channels = 2
	}
	n := frame.Len()
	meters, err := halide.LevelF32(frame)
	if err != nil {
		return 0, err
	}
	now := level{
		squares: meters[0].Squares + meters[1].Squares, samples: float64(n * channels),
		peak: max(meters[0].Peak, meters[1].Peak),
	}
	if math.IsNaN(now.squares) || now.peak > plausible {
		return 0, fmt.Errorf("%w: peak %v", ErrSamples, now.peak)
	}
	if err := m.format(rate, channels); err != nil {
		return 0, err
	}
	if err := m.weigh(left[:n], right, n); err != nil {
		return 0, err
	}
	m.frame = now
	m.lap.add(now)
	m.total.add(now)
	length := media.Time(n) * media.Second / media.Time(rate)
	m.measured += length
	clipped := meters[0].Clipped + meters[1].Clipped
	m.clippedSamples += uint64(clipped) //nolint:gosec // a count
	return m.watch.frame(length, now.power(), clipped > 0), nil
}

// format follows a change of the sample rate or of the channels. The block that is being filled
// goes on; the filter begins anew, as its memory is of another signal.
func (m *Meter) format(rate, channels int) error {
	if rate != m.rate || m.filter == nil {
		filter, err := halide.NewKWeighted(rate)
		if err != nil {
			return err
		}
		if m.rate > 0 {
			m.fill = m.fill * rate / m.rate
		}
		m.filter, m.rate = filter, rate
	} else if channels != m.channels {
		m.filter.Reset()
	}
	m.channels = channels
	return nil
}

// weigh fills blocks of 100 ms with the weighted signal.
func (m *Meter) weigh(left, right []float32, n int) error {
	for from := 0; from < n; {
		take := min(n-from, max(1, (m.rate-m.fill+blocksPerSecond-1)/blocksPerSecond))
		part := halide.Mono(left[from : from+take])
		if right != nil {
			part = halide.Stereo(left[from:from+take], right[from:from+take])
		}
		energy, err := m.filter.F32(part)
		if err != nil {
			return err
		}
		m.energy += (energy[0] + energy[1]) / float64(m.rate)
		m.span += float64(take) / float64(m.rate)
		m.fill += take * blocksPerSecond
		from += take
		if m.fill >= m.rate {
			m.block()
		}
	}
	return nil
}

// block ends a block of 100 ms.
func (m *Meter) block() {
	m.windows.add(m.energy / m.span)
	m.fill -= m.rate
	m.energy, m.span = 0, 0
	momentary := m.windows.mean(momentaryBlocks)
	m.momentary = lufs(momentary)
	m.shortTerm = lufs(m.windows.mean(shortTermBlocks))
	m.maxMomentary = max(m.maxMomentary, m.momentary)
	m.maxShort = max(m.maxShort, m.shortTerm)
	if m.windows.full(momentaryBlocks) {
		m.gate.add(momentary)
	}
}
