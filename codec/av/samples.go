package av

import "github.com/headwater-live/headwater/codec/media"

// Samples is a piece of sound.
type Samples struct {
	// Rate is in Hz. Channels is how many the source has.
	Rate, Channels int
	// Length is the number of samples of each channel.
	Length int
	// Planes are the first two channels, full scale 1; the second is nil if there is only one. What
	// a codec hands out is C memory, valid during the callback.
	Planes [2][]float32
}

// AudioPacket is a coded piece of sound.
type AudioPacket struct {
	// PTS is when its first sample is due. The first packet's lies before the first sample that was
	// given, by what the codec adds in front (priming).
	PTS media.Time
	// Length is its number of samples.
	Length int
	// Data is C memory, valid during the callback.
	Data []byte
}

// The bounds of what is given to encoders and resamplers.
const (
	minSampleRate = 7350 // the lowest of AAC
	maxSampleRate = 192_000
	maxSamples    = 1 << 20 // in one call
)

// check refuses samples whose planes do not bear their length.
func (s *Samples) check(call string, rate, channels int) error {
	if s.Length < 0 || s.Length > maxSamples || s.Rate != rate || min(s.Channels, 2) != channels {
		return refuse(ErrFormat, call, "%d samples of %d channels at %d Hz, want %d at %d",
			s.Length, s.Channels, s.Rate, channels, rate)
	}
	for i := range channels {
		if len(s.Planes[i]) < s.Length {
			return refuse(ErrFormat, call, "plane %d has %d samples of %d",
				i, len(s.Planes[i]), s.Length)
		}
	}
	return nil
}

func checkSound(call string, rate, channels int) error {
	if rate < minSampleRate || rate > maxSampleRate || channels < 1 || channels > 2 {
		return refuse(ErrOption, call, "%d channels at %d Hz, want 1 or 2 at %d to %d",
			channels, rate, minSampleRate, maxSampleRate)
	}
	return nil
}
