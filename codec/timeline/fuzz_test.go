package timeline

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// checker holds the promises of a Timeline against whatever it is given.
type checker struct {
	t      *testing.T
	tl     *Timeline
	lead   media.Time // MaxLead
	floor  media.Time // every DTS is greater
	last   [media.Kinds]media.Time
	seen   [media.Kinds]bool
	units  media.Time // audio and video units so far
	d0, a0 media.Time // the first of them
	high   media.Time
}

func (c *checker) unit(kind media.Kind, ts uint32, arrival media.Time) {
	here := c.tl.Here(kind)
	dts, adjust := c.tl.Map(kind, ts, arrival)
	if kind != media.Data {
		if c.units == 0 {
			c.d0, c.a0 = dts, arrival
		}
		c.units++
		if bound := c.d0 + arrival - c.a0 + c.lead + c.units*ms; dts > bound {
			c.t.Fatalf("%s ts %d: DTS %d above the bound %d", kind, ts, dts, bound)
		}
	}
	step := ms
	if kind == media.Data {
		step = 0
	}
	switch {
	case dts <= c.floor:
		c.t.Fatalf("%s ts %d: DTS %d, the former publisher had %d", kind, ts, dts, c.floor)
	case c.seen[kind] && dts < c.last[kind]+step:
		c.t.Fatalf("%s ts %d: DTS %d after %d", kind, ts, dts, c.last[kind])
	case dts < here:
		c.t.Fatalf("%s ts %d: DTS %d below Here, %d", kind, ts, dts, here)
	case c.tl.Here(kind) != dts:
		c.t.Fatalf("%s: Here %d after DTS %d", kind, c.tl.Here(kind), dts)
	case dts%ms != 0 || adjust%ms != 0:
		c.t.Fatalf("%s ts %d: DTS %d adjust %d", kind, ts, dts, adjust)
	case adjust > 0 || adjust < 0 && kind != media.Video:
		c.t.Fatalf("%s ts %d: adjust %d", kind, ts, adjust)
	}
	c.last[kind], c.seen[kind] = dts, true
	c.high = max(c.high, dts)
	if c.tl.Last() != c.high {
		c.t.Fatalf("Last %d, the highest was %d", c.tl.Last(), c.high)
	}
}

// FuzzTimeline drives a timeline with a program of eight byte steps.
func FuzzTimeline(f *testing.F) {
	step := func(op byte, ts uint32, wait uint16) []byte {
		b := binary.BigEndian.AppendUint32([]byte{op, 0}, ts)
		return binary.BigEndian.AppendUint16(b, wait)
	}
	join := func(steps ...[]byte) (b []byte) {
		for _, s := range steps {
			b = append(b, s...)
		}
		return b
	}
	f.Add(int64(-1), join(step(1, 0, 0), step(2, 0, 0), step(1, 33, 33), step(2, 23, 1)))
	f.Add(int64(5e9), join(step(1, 0xfffffff0, 0), step(2, 3, 9), step(1, 17, 9), step(0, 0, 0)))
	f.Add(int64(-1), join(step(1, 0, 0), step(1, 3600000, 9), step(2, 3600000, 9), step(1, 9, 9)))
	f.Add(int64(-1), join(step(1, 900, 0), step(2, 900, 0), step(3, 0, 5000), step(2, 7, 0)))
	f.Add(int64(-1), join(step(5, 2900, 0), step(5, 2900, 0), step(6, 2900, 0), step(5, 2900, 0)))
	f.Fuzz(func(t *testing.T, start int64, program []byte) {
		const maxLead = 2 * media.Second
		s := Start{}
		c := checker{t: t, lead: maxLead, floor: -ms, high: -ms}
		if start >= 0 && start < 1<<60 {
			s = Start{DTS: media.Time(start), Has: true}
			c.floor = s.DTS
			c.high = media.FromMillis(s.DTS.Millis())
		}
		c.tl = New(Options{MaxLead: maxLead}, s)
		var arrival media.Time
		var raw uint32
		for ; len(program) >= 8; program = program[8:] {
			op, ts := program[0], binary.BigEndian.Uint32(program[2:])
			arrival += media.FromMillis(int64(binary.BigEndian.Uint16(program[6:])))
			if op&4 != 0 { // Relative to the timestamp before: small programs go far.
				ts = raw + uint32(int32(ts)%8000)
			}
			raw = ts
			if op&3 == 3 {
				c.tl.Reconnect(arrival)
				continue
			}
			c.unit(media.Kind(op&3), ts, arrival)
		}
	})
}

// FuzzTimelineSane publishes as encoders and networks do: two tracks with rising timestamps from
// anywhere, a skew between them, units that are late, stalls and bursts. All must come through.
func FuzzTimelineSane(f *testing.F) {
	f.Add(uint32(0), uint64(1), uint8(33), uint8(23), int8(0))
	f.Add(uint32(16_800_000), uint64(2), uint8(17), uint8(21), int8(-100))
	f.Add(uint32(0xffffff00), uint64(3), uint8(41), uint8(10), int8(100))
	f.Fuzz(func(t *testing.T, start uint32, seed uint64, videoStep, audioStep uint8, skew int8) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		if start < 1000 {
			start += 1000 // The first unit of a stream that starts at 0 may not lie below it.
		}
		tl := New(Options{}, Start{})
		steps := [2]int64{max(1, int64(videoStep)), max(1, int64(audioStep))}
		next := [2]int64{0, int64(skew)}
		clock, offset := int64(0), int64(0)
		for i := range 2000 {
			n := 0
			if next[1] < next[0] {
				n = 1
			}
			// The unit arrives when it was made or later, and never before its predecessor.
			late := rnd.Int64N(40)
			if rnd.IntN(200) == 0 {
				late = rnd.Int64N(8000)
			}
			clock = max(clock, next[n]-int64(skew)+200+late)
			kind := [2]media.Kind{media.Video, media.Audio}[n]
			dts, adjust := tl.Map(kind, start+uint32(next[n]), media.FromMillis(clock))
			if i == 0 {
				offset = dts.Millis() - next[n]
			}
			if dts.Millis()-next[n] != offset || adjust != 0 {
				t.Fatalf("unit %d: %s at %d: DTS %d adjust %d, want %d",
					i, kind, next[n], dts.Millis(), adjust, next[n]+offset)
			}
			// Video may skip pictures.
			next[n] += steps[n]
			if n == 0 && rnd.IntN(100) == 0 {
				next[n] += steps[n] * rnd.Int64N(5)
			}
		}
		if tl.Stats() != (Stats{}) {
			t.Fatalf("repaired what was sane: %+v", tl.Stats())
		}
	})
}

// FuzzTimelineJump lets the clock behind both tracks jump by any number of milliseconds, and wants
// them in step again: when they have settled, both have one offset.
func FuzzTimelineJump(f *testing.F) {
	f.Add(uint64(1), int32(3_600_000), uint8(33), uint8(23), int8(0))
	f.Add(uint64(2), int32(-1_020), uint8(41), uint8(10), int8(-100))
	f.Add(uint64(3), int32(3_005), uint8(41), uint8(10), int8(100))
	f.Add(uint64(4), int32(-16_800_000), uint8(17), uint8(21), int8(50))
	f.Fuzz(func(t *testing.T, seed uint64, jump int32, videoStep, audioStep uint8, skew int8) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		tl := New(Options{}, Start{})
		steps := [2]int64{max(10, int64(videoStep)), max(10, int64(audioStep))}
		next := [2]int64{0, int64(skew)}
		kinds := [2]media.Kind{media.Video, media.Audio}
		var offsets [2]int64
		clock := int64(0)
		for i := range 4000 {
			n := 0
			if next[1] < next[0] {
				n = 1
			}
			late := rnd.Int64N(40)
			if rnd.IntN(200) == 0 {
				late = rnd.Int64N(2500)
			}
			clock = max(clock, next[n]-int64(skew)+200+late)
			raw := next[n] + 20_000_000
			// What was made after the jump has the new clock.
			if next[n]-int64(skew)*int64(n) >= 5000 {
				raw += int64(jump)
			}
			dts, _ := tl.Map(kinds[n], uint32(raw), media.FromMillis(clock))
			offsets[n] = dts.Millis() - next[n]
			next[n] += steps[n]
			settled := min(next[0], next[1]) > 9000
			if settled && offsets[0] != offsets[1] {
				t.Fatalf("unit %d: video is at %+d, audio at %+d ms", i, offsets[0], offsets[1])
			}
		}
	})
}
