//go:build !cgo

package av

import (
	"errors"
	"testing"
)

func TestUnavailable(t *testing.T) {
	_, decoder := NewDecoder(nil, Limits{})
	_, encoder := NewEncoder(EncoderOptions{})
	_, pool := NewPool(1, 1, 1)
	_, aac := NewAACDecoder(nil)
	_, aacEncoder := NewAACEncoder(48000, 2, 128_000)
	_, opus := NewOpusEncoder(48000, 2, 96_000)
	_, resampler := NewResampler(44100, 2, 48000, 2)
	for _, err := range []error{decoder, encoder, pool, aac, aacEncoder, opus, resampler} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
	}
	if Available || Version() == "" {
		t.Errorf("available %v, version %q", Available, Version())
	}
}
