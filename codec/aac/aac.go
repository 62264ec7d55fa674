// Package aac reads the AudioSpecificConfig, the sequence header of AAC (ISO/IEC 14496-3,
// 1.6.2.1).
package aac

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

// Audio object types (ISO/IEC 14496-3, table 1.17).
const (
	LC  = 2  // AAC-LC
	SBR = 5  // HE-AAC: AAC-LC and spectral band replication
	PS  = 29 // HE-AAC v2: SBR and parametric stereo
)

// Config says what a decoder puts out.
type Config struct {
	// ObjectType is LC, SBR or PS, as signalled. SBR that is only signalled implicitly, or behind
	// the end in the backward compatible way, is seen as LC at half the sample rate.
	ObjectType int
	// SampleRate is in Hz, from 1 to 192000.
	SampleRate int
	// Channels is from 1 to 8, or 0 when only the bitstream tells (channel configuration 0).
	Channels int
	// SamplesPerFrame is the duration of an access unit in samples of SampleRate: 1024 or 960,
	// twice that with SBR.
	SamplesPerFrame int
}

// maxSampleRate is what decoders bear; the 24 bit explicit rate could state 16 MHz.
const maxSampleRate = 192000

// ParseConfig reads an AudioSpecificConfig, for instance the payload of an AAC sequence header.
func ParseConfig(b []byte) (Config, error) {
	var asc mpeg4audio.AudioSpecificConfig
	if err := asc.Unmarshal(b); err != nil {
		return Config{}, fmt.Errorf("aac: AudioSpecificConfig of %d bytes: %w", len(b), err)
	}
	c := Config{
		ObjectType: LC, SampleRate: asc.SampleRate, Channels: int(asc.ChannelConfig),
		SamplesPerFrame: 1024,
	}
	if asc.ChannelConfig == 7 {
		c.Channels = 8
	}
	if asc.FrameLengthFlag {
		c.SamplesPerFrame = 960
	}
	if asc.ExtensionType != 0 {
		c.ObjectType = int(asc.ExtensionType)
		switch asc.ExtensionSampleRate {
		case asc.SampleRate: // Down-sampled SBR.
		case 2 * asc.SampleRate:
			c.SampleRate *= 2
			c.SamplesPerFrame *= 2
		default:
			return Config{}, fmt.Errorf("aac: SBR raises %d Hz to %d Hz, want the same or twice",
				asc.SampleRate, asc.ExtensionSampleRate)
		}
	}
	if c.ObjectType == PS && c.Channels == 1 {
		c.Channels = 2
	}
	if c.SampleRate < 1 || c.SampleRate > maxSampleRate {
		return Config{}, fmt.Errorf("aac: sample rate %d Hz, want 1 to %d",
			c.SampleRate, maxSampleRate)
	}
	return c, nil
}
