package halide

import (
	"math"

	"github.com/headwater-live/headwater/halide/internal/kernels"
	"github.com/headwater-live/headwater/halide/reference"
)

// longest is the samples of the longest of the 16 pieces of a frame that the kernel filters side by
// side; pieces are multiples of 8 samples.
const longest = 64

// KWeighted measures the K-weighted energy of ITU-R BS.1770-5 frame after frame: the filter's
// memory is carried from each to the next. It is not safe for concurrent use.
type KWeighted struct {
	filter reference.KFilter
	state  [2]reference.KState
	// power holds, for pieces of 8, 16 ... 64 samples, what the state becomes over a piece of
	// silence, as a 4x4 matrix; reply holds the filter's answer to each part of the state.
	power [longest / 8 * 16]float64
	reply [longest * 4]float64
}

// NewKWeighted returns a meter for a sample rate of 8000 to 384000 hertz.
func NewKWeighted(rate int) (*KWeighted, error) {
	if rate < 8000 || rate > 384000 {
		return nil, wrong("NewKWeighted", "rate", "%d outside 8000 to 384000", rate)
	}
	k := &KWeighted{filter: reference.NewKFilter(float64(rate))}
	for j := range 4 {
		var s reference.KState
		s[j] = 1
		for n := range longest {
			k.reply[4*n+j] = k.filter.Step(0, &s)
			if (n+1)%8 == 0 {
				copy(k.power[(n+1)/8*16-16+4*j:][:4], s[:4])
			}
		}
	}
	return k, nil
}

// check refuses a meter without a filter, which would measure silence.
func (k *KWeighted) check(call string) error {
	if k == nil || k.filter == (reference.KFilter{}) {
		return wrong(call, "meter", "nil or not made by NewKWeighted")
	}
	return nil
}

// F32 returns, for each channel, the sum of the squares of the weighted samples of one frame, full
// scale 1, within 1e-7 relatively of the recursion computed sample by sample. Samples must be
// finite.
func (k *KWeighted) F32(s Samples[float32]) ([2]float64, error) {
	var energy [2]float64
	const call = "KWeighted.F32"
	if err := k.check(call); err != nil {
		return energy, err
	}
	if err := s.check(call); err != nil {
		return energy, err
	}
	for c, p := range [2][]float32{s.left, s.right} {
		if p == nil {
			continue
		}
		e, err := kernels.KWeightedF32(
			&k.filter, k.power[:], k.reply[:], p, s.length, s.step, &k.state[c])
		if err != nil {
			return energy, err
		}
		energy[c] = e
	}
	return energy, nil
}

// S16 is F32 for 16 bit samples, full scale 32768.
func (k *KWeighted) S16(s Samples[int16]) ([2]float64, error) {
	var energy [2]float64
	const call = "KWeighted.S16"
	if err := k.check(call); err != nil {
		return energy, err
	}
	if err := s.check(call); err != nil {
		return energy, err
	}
	for c, p := range [2][]int16{s.left, s.right} {
		if p == nil {
			continue
		}
		e, err := kernels.KWeightedS16(
			&k.filter, k.power[:], k.reply[:], p, s.length, s.step, &k.state[c])
		if err != nil {
			return energy, err
		}
		energy[c] = e
	}
	return energy, nil
}

// Reset forgets the frames so far.
func (k *KWeighted) Reset() { k.state = [2]reference.KState{} }

// Loudness is the loudness in LUFS of channels whose mean squares of the weighted signal add up to
// meanSquare: ITU-R BS.1770-5 annex 1, equation 2 (left, right and centre weigh 1).
func Loudness(meanSquare float64) float64 { return -0.691 + 10*math.Log10(meanSquare) }
