// Package avc reads and writes what H.264 needs in an FLV or MP4 stream: the
// AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.2.4.1) and length-prefixed NAL units.
package avc

import (
	"errors"
	"fmt"
)

// ErrInvalid says that a record is cut short or holds a value that is not allowed.
var ErrInvalid = errors.New("avc: invalid configuration")

// Bounds of a record's counts and lengths, given by the widths of its fields.
const (
	maxSPS       = 1<<5 - 1
	maxPPS       = 1<<8 - 1
	maxParameter = 1<<16 - 1
)

// Config is an AVCDecoderConfigurationRecord.
type Config struct {
	Profile, Compat, Level uint8
	// NALULengthSize is the size of the length in front of each NAL unit: 1, 2 or 4 bytes.
	NALULengthSize int
	// SPS and PPS are NAL units without a length: at most 31 and 255, of at most 65535 bytes.
	SPS, PPS [][]byte
	// Ext is what follows the PPS, byte for byte: for the High profiles chroma format, bit depths
	// and SPS extensions. Some encoders leave it out although the standard asks for it.
	Ext []byte
}

// ParseConfig reads a record, for instance the payload of an AVC sequence header. The Config's
// slices share b's memory.
func ParseConfig(b []byte) (Config, error) {
	if len(b) < 6 {
		return Config{}, fmt.Errorf("%w: %d bytes, want 7 or more", ErrInvalid, len(b))
	}
	if b[0] != 1 {
		return Config{}, fmt.Errorf("%w: version %d, want 1", ErrInvalid, b[0])
	}
	c := Config{Profile: b[1], Compat: b[2], Level: b[3], NALULengthSize: int(b[4]&3) + 1}
	if c.NALULengthSize == 3 {
		return Config{}, fmt.Errorf("%w: NAL unit length of 3 bytes", ErrInvalid)
	}
	pos := 6
	var err error
	if c.SPS, pos, err = parameterSets(b, pos, int(b[5]&maxSPS)); err != nil {
		return Config{}, fmt.Errorf("SPS: %w", err)
	}
	if pos >= len(b) {
		return Config{}, fmt.Errorf("%w: %d bytes end before the PPS", ErrInvalid, len(b))
	}
	if c.PPS, pos, err = parameterSets(b, pos+1, int(b[pos])); err != nil {
		return Config{}, fmt.Errorf("PPS: %w", err)
	}
	if pos < len(b) {
		c.Ext = b[pos:]
	}
	return c, nil
}

func parameterSets(b []byte, pos, count int) ([][]byte, int, error) {
	if count == 0 {
		return nil, pos, nil
	}
	// Each set has at least a length, so a count that lies cannot make us allocate for it.
	if len(b)-pos < 2*count {
		return nil, pos, fmt.Errorf("%w: %d sets in %d bytes", ErrInvalid, count, len(b)-pos)
	}
	sets := make([][]byte, 0, count)
	for i := range count {
		if len(b)-pos < 2 {
			return nil, pos, fmt.Errorf("%w: set %d of %d begins at byte %d of %d",
				ErrInvalid, i, count, pos, len(b))
		}
		n := int(b[pos])<<8 | int(b[pos+1])
		pos += 2
		if n == 0 || len(b)-pos < n {
			return nil, pos, fmt.Errorf("%w: set %d of %d has %d bytes at byte %d of %d",
				ErrInvalid, i, count, n, pos, len(b))
		}
		sets = append(sets, b[pos:pos+n:pos+n])
		pos += n
	}
	return sets, pos, nil
}

// Marshal writes the record. Of a Config that ParseConfig returned it gives the same bytes, with
// the reserved bits set as the standard asks.
func (c *Config) Marshal() ([]byte, error) {
	if len(c.SPS) > maxSPS || len(c.PPS) > maxPPS {
		return nil, fmt.Errorf("%w: %d SPS and %d PPS, at most %d and %d",
			ErrInvalid, len(c.SPS), len(c.PPS), maxSPS, maxPPS)
	}
	switch c.NALULengthSize {
	case 1, 2, 4:
	default:
		return nil, fmt.Errorf("%w: NAL unit length of %d bytes", ErrInvalid, c.NALULengthSize)
	}
	size := 7 + len(c.Ext)
	for _, sets := range [2][][]byte{c.SPS, c.PPS} {
		for _, s := range sets {
			if len(s) == 0 || len(s) > maxParameter {
				return nil, fmt.Errorf("%w: parameter set of %d bytes", ErrInvalid, len(s))
			}
			size += 2 + len(s)
		}
	}
	b := make([]byte, 0, size)
	b = append(b, 1, c.Profile, c.Compat, c.Level, 0xfc|byte(c.NALULengthSize-1))
	b = appendSets(append(b, 0xe0|byte(len(c.SPS))), c.SPS)
	b = appendSets(append(b, byte(len(c.PPS))), c.PPS)
	return append(b, c.Ext...), nil
}

func appendSets(b []byte, sets [][]byte) []byte {
	for _, s := range sets {
		b = append(b, byte(len(s)>>8), byte(len(s)))
		b = append(b, s...)
	}
	return b
}
