package splice

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

const ms = media.Millisecond

// content is one unit as an encoder made it, once, for whoever it publishes to.
type content struct {
	kind   media.Kind
	dts    media.Time // since the encoder began
	cts    media.Time
	key    bool
	gop    uint32 // which group of pictures it is of, and the how manieth of it
	index  uint32
	header bool
}

// nature is what a broadcast is like.
type nature struct {
	bframes, audioOnly, noAudio bool
	still                       bool // nothing moves, nothing sounds
	gop                         int
}

// encode makes a broadcast of the given length. Its first contents are its headers.
func encode(rng *rand.Rand, n nature, length media.Time) (all []content) {
	if !n.audioOnly {
		all = append(all, content{kind: media.Video, header: true})
	}
	if !n.noAudio {
		all = append(all, content{kind: media.Audio, header: true})
	}
	var gop, index uint32
	for video, audio := media.Time(0), media.Time(0); min(video, audio) < length; {
		if audio <= video && !n.noAudio || n.audioOnly {
			all = append(all, content{kind: media.Audio, dts: audio, key: true})
			audio += 21 * ms
			if n.audioOnly {
				video = audio
			}
			if rng.IntN(200) == 0 && !n.still {
				all = append(all, content{kind: media.Data, dts: audio})
			}
			continue
		}
		if n.noAudio {
			audio = video
		}
		c := content{kind: media.Video, dts: video, index: index, key: index == 0}
		if n.bframes {
			c.cts = [...]media.Time{33, 99, 0, 0}[index%4] * ms
		}
		c.gop = gop
		all = append(all, c)
		if index++; int(index) == n.gop {
			gop, index = gop+1, 0
		}
		video += 33 * ms
	}
	return all
}

// avcHeader is a sequence header whose parameter sets mean nothing but are told apart by sps.
func avcHeader(sps byte) []byte {
	return []byte{
		0x17, 0, 0, 0, 0, 1, 100, 0, 31, 0xff, 0xe1, 0, 3, 0x67, 100, sps, 1, 0, 2, 0x68, sps,
	}
}

// body makes the bytes of a content. sps tells encoders apart, whose pictures are not the same.
func (c *content) body(n nature, i int, sps byte) (body, tail []byte) {
	var b []byte
	switch {
	case c.header && c.kind == media.Video:
		b = avcHeader(sps)
	case c.header:
		b = []byte{0xaf, 0, 0x12, 0x10}
	case c.kind == media.Data:
		b = flv.StripSetDataFrame([]byte("\x02\x00\x03abc\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
		b = binary.BigEndian.AppendUint64(b, uint64(i))
	case c.kind == media.Audio:
		b = []byte{0xaf, 1}
		if !n.still {
			b = binary.BigEndian.AppendUint64(b, uint64(i))
		}
	default:
		cts := c.cts.Millis()
		b = []byte{0x27, 1, byte(cts >> 16), byte(cts >> 8), byte(cts), 0, 0, 0, 14, 0x41, sps}
		if c.key {
			b[0], b[9] = 0x17, 0x65
		}
		b = binary.BigEndian.AppendUint32(b, c.index)
		if n.still {
			b = binary.BigEndian.AppendUint64(b, uint64(c.index))
		} else {
			b = binary.BigEndian.AppendUint64(b, uint64(i))
		}
	}
	body, tail = flv.NewBody(len(b))
	copy(body, b)
	return body, tail
}

// lane is what an origin makes of what the encoder publishes to it, from a content on.
type lane struct {
	units  []*topic.Unit // in sequence
	of     []int         // the contents that they are
	placed map[int]*topic.Unit
}

// publish makes a lane of contents from the given one on, whose time is put at base.
func publish(
	t testing.TB, n nature, all []content, from, to int, epoch uint64, base media.Time, sps byte,
) *lane {
	l := &lane{placed: map[int]*topic.Unit{}}
	var headers topic.Headers
	var last [media.Kinds]media.Time
	add := func(i int) {
		c := &all[i]
		body, tail := c.body(n, i, sps)
		dts := base + c.dts - all[from].dts
		if c.header {
			dts = max(base, last[c.kind])
		}
		au, err := flv.Unit(c.kind, dts, body, tail)
		if err != nil {
			t.Fatal(err)
		}
		u := topic.NewUnit(epoch, uint64(len(l.units)+1), au)
		if c.header {
			headers[c.kind] = u
		} else {
			u.Header = headers[c.kind]
		}
		last[c.kind] = dts
		l.units, l.of = append(l.units, u), append(l.of, i)
		l.placed[i] = u
	}
	for i := range from { // the headers come first in any case
		if all[i].header {
			add(i)
		}
	}
	for i := from; i < to; i++ {
		add(i)
	}
	return l
}

// keyAt is the next content at or after i with which a publisher begins.
func keyAt(all []content, i int) int {
	for ; i < len(all); i++ {
		if c := &all[i]; c.header || c.key && (c.kind == media.Video || c.gop == 0 && audioOnly(all)) {
			return i
		}
	}
	return len(all)
}

func audioOnly(all []content) bool { return all[0].kind == media.Audio }

var start = time.Unix(1e9, 0)

// made is when the encoder has made a content.
func made(c *content) time.Time { return start.Add(time.Duration(c.dts)) }
