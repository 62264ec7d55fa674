package loudness

import "github.com/headwater-live/headwater/codec/media"

// Reading is what a meter shows. No level is below Floor, infinite or not a number.
type Reading struct {
	// Momentary (400 ms), ShortTerm (3 s) and Integrated (since the start, gated) are in LUFS. They
	// follow every 100 ms; before the start there was silence.
	Momentary, ShortTerm, Integrated float64
	// MaxMomentary and MaxShortTerm are the greatest since the start.
	MaxMomentary, MaxShortTerm float64
	// Frame is the latest frame's level, Total the one since the start.
	Frame, Total Level
	// Measured is how much audio was measured.
	Measured media.Time
	// SampleRate and Channels are the latest frame's; of more than two channels the first two, left
	// and right, are measured.
	SampleRate, Channels int
	// Silent and Clipping say what is going on, Silences and Clippings how often it began.
	Silent, Clipping    bool
	Silences, Clippings uint64
	// ClippedSamples counts the samples at or beyond full scale.
	ClippedSamples uint64
}

// Reading returns what the meter shows now.
func (m *Meter) Reading() Reading {
	return Reading{
		Momentary: m.momentary, ShortTerm: m.shortTerm, Integrated: m.gate.integrated(),
		MaxMomentary: m.maxMomentary, MaxShortTerm: m.maxShort,
		Frame: m.frame.decibels(), Total: m.total.decibels(), Measured: m.measured,
		SampleRate: m.rate, Channels: m.channels,
		Silent: m.watch.silent, Clipping: m.watch.clipping,
		Silences: m.watch.silences, Clippings: m.watch.clippings,
		ClippedSamples: m.clippedSamples,
	}
}

// Lap returns the level since the last Lap: no peak goes unseen between two looks.
func (m *Meter) Lap() Level {
	l := m.lap.decibels()
	m.lap = level{}
	return l
}
