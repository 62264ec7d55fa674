package process

import "github.com/headwater-live/headwater/codec/media"

// measure estimates the source's bit rate and frame rate from what it sends.
type measure struct {
	begin, last media.Time // of the present span
	bits        int64
	units       int
	started     bool

	bps, fps float64 // of the spans so far; 0 before the first has ended
}

// Spans in which the source is measured. Two seconds hold a whole group of pictures of most
// encoders; each span weighs as much as all before it, so an estimate follows within seconds.
const (
	measureSpan    = 2 * media.Second
	measurePause   = 5 * media.Second // the source paused: what came before says nothing
	measureMin     = media.Second / 2 // enough for a first guess of the frame rate
	measureMinUnit = 8
)

// unit notes one picture of the source, in decoding order.
func (m *measure) unit(dts media.Time, size int) {
	if !m.started || dts < m.last || dts-m.last > measurePause {
		m.begin, m.bits, m.units, m.started = dts, 0, 0, true
	}
	m.last = dts
	if span := dts - m.begin; span >= measureSpan {
		m.bps = blend(m.bps, float64(m.bits)/span.Seconds())
		m.fps = blend(m.fps, float64(m.units)/span.Seconds())
		m.begin, m.bits, m.units = dts, 0, 0
	}
	m.bits += int64(size) * 8
	m.units++
}

func blend(old, latest float64) float64 {
	if old == 0 {
		return latest
	}
	return (old + latest) / 2
}

// bitrate is what the source sends, or 0 while that is not known.
func (m *measure) bitrate() float64 { return m.bps }

// rate is how many pictures a second the source sends, or 0 while that is not known.
func (m *measure) rate() float64 {
	span := m.last - m.begin
	if m.fps == 0 && m.units >= measureMinUnit && span >= measureMin {
		return float64(m.units-1) / span.Seconds()
	}
	return m.fps
}

// Frame rates. What an SPS says holds only as far as it is plausible: phones state 30 and send 20.
const (
	defaultFPS = 30
	minFPS     = 1
	maxFPS     = 120
	fpsWrong   = 1.25
)

// frameRate is that of the source: as the SPS says unless the source was found to differ, else as
// it was found, else the most usual one.
func frameRate(stated, measured float64) float64 {
	plausible := stated >= minFPS && stated <= maxFPS
	switch {
	case plausible && (measured == 0 || !differs(stated, measured)):
		return stated
	case measured > 0:
		return min(max(measured, minFPS), maxFPS)
	}
	return defaultFPS
}

// differs tells whether one frame rate is too far from the other for a rate control to be right.
func differs(a, b float64) bool { return a > b*fpsWrong || b > a*fpsWrong }

// Bit rates of a picture that follows its source, in bits a pixel. The source's encoder had more
// time than ours has, so ours gets a quarter more.
const (
	unknownBits = 0.10
	leastBits   = 0.04
	mostBits    = 0.30
	surcharge   = 1.25
	minBitrate  = 32_000
)

// bitrate is what a picture of the source's size may cost, in bits a second.
func bitrate(width, height int, fps, source float64) int {
	pixels := float64(width) * float64(height) * fps
	bps := pixels * unknownBits
	if source > 0 {
		bps = min(max(source*surcharge, pixels*leastBits), pixels*mostBits)
	}
	return max(int(bps), minBitrate)
}
