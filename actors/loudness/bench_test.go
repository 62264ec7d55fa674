package loudness

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkMeter is level, K-weighting and meter of a stereo frame, without its decoding.
func BenchmarkMeter(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	noise := make([]float32, frameLength)
	for i := range noise {
		noise[i] = float32(0.1 * r.NormFloat64())
	}
	for name, p := range map[string][]float32{
		"noise": noise, "silence": make([]float32, frameLength),
	} {
		b.Run(name, func(b *testing.B) {
			m := NewMeter(DefaultThresholds())
			push(b, m, 48000, noise, true)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Push(48000, p, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
