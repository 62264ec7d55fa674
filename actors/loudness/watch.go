package loudness

import (
	"math"

	"github.com/headwater-live/headwater/codec/media"
)

// Thresholds say what silence and clipping are.
type Thresholds struct {
	// Silence is the RMS in dBFS below which a frame is silent.
	Silence float64
	// SilentFor is how long all frames have to be before it is an event: people pause.
	SilentFor media.Time
	// ClipHold is how long no sample may clip before clipping is over: loud passages clip at every
	// beat, and are one event.
	ClipHold media.Time
}

// DefaultThresholds are those that fit speech and games.
func DefaultThresholds() Thresholds {
	return Thresholds{Silence: -60, SilentFor: 3 * media.Second, ClipHold: media.Second}
}

// Change is what begins or ends with a frame: a set of bits.
type Change uint8

// The changes.
const (
	SilenceBegins Change = 1 << iota
	SilenceEnds
	ClippingBegins
	ClippingEnds
)

// Has reports whether all of want are set.
func (c Change) Has(want Change) bool { return c&want == want }

// watch finds silence and clipping.
type watch struct {
	silence             float64 // mean square
	silentFor, hold     media.Time
	quiet, clean        media.Time // for how long it has been so
	silent, clipping    bool
	silences, clippings uint64
}

func newWatch(t Thresholds) watch {
	return watch{
		silence: math.Pow(10, t.Silence/10), silentFor: t.SilentFor, hold: t.ClipHold,
	}
}

// frame takes one frame that lasts length.
func (w *watch) frame(length media.Time, meanSquare float64, clipped bool) Change {
	return w.hush(length, meanSquare) | w.clip(length, clipped)
}

func (w *watch) hush(length media.Time, meanSquare float64) Change {
	if meanSquare >= w.silence {
		w.quiet = 0
		if w.silent {
			w.silent = false
			return SilenceEnds
		}
		return 0
	}
	w.quiet += length
	if !w.silent && w.quiet >= w.silentFor {
		w.silent = true
		w.silences++
		return SilenceBegins
	}
	return 0
}

func (w *watch) clip(length media.Time, clipped bool) Change {
	if clipped {
		w.clean = 0
		if !w.clipping {
			w.clipping = true
			w.clippings++
			return ClippingBegins
		}
		return 0
	}
	w.clean += length
	if w.clipping && w.clean >= w.hold {
		w.clipping = false
		return ClippingEnds
	}
	return 0
}
