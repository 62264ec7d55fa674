//go:build cgo

package av

/*
#include "av.h"
#cgo noescape hwav_resampler_open
#cgo nocallback hwav_resampler_open
#cgo noescape hwav_resample
#cgo nocallback hwav_resample
#cgo noescape hwav_resampler_close
#cgo nocallback hwav_resampler_close
*/
import "C"

// Resampler changes the rate of sound, and makes one channel of two or two of one.
type Resampler struct {
	c              *C.hwav_resampler
	out            C.hwav_samples
	rate, channels int
}

// NewResampler returns a resampler from one rate in Hz and number of channels, 1 or 2, to another.
func NewResampler(rate, channels, outRate, outChannels int) (*Resampler, error) {
	const call = "NewResampler"
	if err := checkSound(call, rate, channels); err != nil {
		return nil, err
	}
	if err := checkSound(call, outRate, outChannels); err != nil {
		return nil, err
	}
	r := &Resampler{rate: rate, channels: channels}
	code := C.hwav_resampler_open(&r.c, C.int(rate), C.int(channels), C.int(outRate),
		C.int(outChannels))
	if err := failed("swr_init", code); err != nil {
		return nil, err
	}
	return r, nil
}

// Resample takes samples and hands emit what can be made of them: nothing at first, as the filter
// looks ahead by a fraction of a millisecond.
func (r *Resampler) Resample(s Samples, emit func(Samples) error) error {
	const call = "Resampler.Resample"
	if r.c == nil {
		return refuse(ErrClosed, call, "resampler is closed")
	}
	if err := s.check(call, r.rate, r.channels); err != nil {
		return err
	}
	if s.Length == 0 {
		return nil
	}
	return r.convert(s, emit)
}

// Flush hands out what the filter holds back.
func (r *Resampler) Flush(emit func(Samples) error) error {
	if r.c == nil {
		return refuse(ErrClosed, "Resampler.Flush", "resampler is closed")
	}
	return r.convert(Samples{}, emit)
}

func (r *Resampler) convert(s Samples, emit func(Samples) error) error {
	code := C.hwav_resample(r.c, first[C.float](s.Planes[0]), first[C.float](s.Planes[1]),
		C.int(s.Length), &r.out)
	if err := failed("swr_convert", code); err != nil {
		return err
	}
	if r.out.length == 0 {
		return nil
	}
	return emit(lent(&r.out))
}

// Close frees the resampler. Closing twice is safe.
func (r *Resampler) Close() {
	C.hwav_resampler_close(r.c)
	r.c = nil
}
