package reference

import "math"

// LevelS16 measures n samples of p, step apart.
func LevelS16(p []int16, n, step int) Meter {
	var squares int64
	var peak int32
	var clipped int64
	for i := range n {
		v := int32(p[i*step])
		squares += int64(v * v)
		if v == math.MaxInt16 || v == math.MinInt16 {
			clipped++
		}
		peak = max(peak, v, -v)
	}
	return Meter{
		Squares: float64(squares) / (1 << 30), Peak: float64(peak) / (1 << 15), Clipped: clipped,
	}
}

// LevelF32 measures n samples of p, step apart.
func LevelF32(p []float32, n, step int) Meter {
	const sign = 1 << 31
	var squares float64
	var peak float32
	var clipped int64
	for i := range n {
		v := math.Float32frombits(math.Float32bits(p[i*step]) &^ sign)
		squares += float64(v) * float64(v)
		if v >= 1 {
			clipped++
		}
		if v > peak {
			peak = v
		}
	}
	return Meter{Squares: squares, Peak: float64(peak), Clipped: clipped}
}

// KFilter is the pre-filter of ITU-R BS.1770-5 annex 1 at one sample rate: a high shelf, b0 b1 b2
// a1 a2, and a high-pass whose numerator is 1 -2 1, a1 a2.
type KFilter [7]float64

// KState is the memory of the filter for one channel: the last two outputs of the shelf, of the
// high-pass, and the last two samples, the latest first.
type KState [6]float64

// NewKFilter designs the filter for a sample rate in hertz. The standard gives the coefficients at
// 48 kHz only; these are the analogue prototypes they come from, put through the bilinear
// transform.
func NewKFilter(rate float64) KFilter {
	shelf, gain, q := 1681.974450955533, 3.999843853973347, 0.7071752369554196
	k := math.Tan(math.Pi * shelf / rate)
	vh := math.Pow(10, gain/20)
	vb := math.Pow(vh, 0.4996667741545416)
	a0 := 1 + k/q + k*k
	f := KFilter{
		(vh + vb*k/q + k*k) / a0, 2 * (k*k - vh) / a0, (vh - vb*k/q + k*k) / a0,
		2 * (k*k - 1) / a0, (1 - k/q + k*k) / a0,
	}
	pass, q := 38.13547087602444, 0.5003270373238773
	k = math.Tan(math.Pi * pass / rate)
	a0 = 1 + k/q + k*k
	f[5], f[6] = 2*(k*k-1)/a0, (1-k/q+k*k)/a0
	return f
}

// Step filters one sample and returns the weighted one.
func (f *KFilter) Step(x float64, s *KState) float64 {
	w := f[0]*x + f[1]*s[4] + f[2]*s[5] - f[3]*s[0] - f[4]*s[1]
	y := w - 2*s[0] + s[1] - f[5]*s[2] - f[6]*s[3]
	*s = KState{w, s[0], y, s[2], x, s[4]}
	return y
}

// KWeightedF32 returns the sum of the squared weighted samples of n samples of p, step apart.
func KWeightedF32(f *KFilter, p []float32, n, step int, state *KState) float64 {
	var sum float64
	w1, w2, y1, y2, x1, x2 := state[0], state[1], state[2], state[3], state[4], state[5]
	for i := range n {
		x := float64(p[i*step])
		w := f[0]*x + f[1]*x1 + f[2]*x2 - f[3]*w1 - f[4]*w2
		y := w - 2*w1 + w2 - f[5]*y1 - f[6]*y2
		w1, w2, y1, y2, x1, x2 = w, w1, y, y1, x, x1
		sum += y * y
	}
	*state = KState{w1, w2, y1, y2, x1, x2}
	return sum
}

// KWeightedS16 is KWeightedF32 for 16 bit samples.
func KWeightedS16(f *KFilter, p []int16, n, step int, state *KState) float64 {
	var sum float64
	for i := range n {
		y := f.Step(float64(p[i*step])/(1<<15), state)
		sum += y * y
	}
	return sum
}
