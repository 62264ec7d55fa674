//go:build cgo

package av

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// ogg writes packets as an Ogg stream (RFC 3533), each on a page of its own, for ffmpeg to read.
type ogg struct {
	b      []byte
	number uint32
}

func (o *ogg) page(flags byte, granule int64, packet []byte) {
	p := append([]byte("OggS\x00"), flags)
	p = binary.LittleEndian.AppendUint64(p, uint64(granule))
	p = binary.LittleEndian.AppendUint32(p, 1)
	p = binary.LittleEndian.AppendUint32(p, o.number)
	p = append(p, 0, 0, 0, 0, byte(len(packet)/255+1))
	for range len(packet) / 255 {
		p = append(p, 255)
	}
	p = append(append(p, byte(len(packet)%255)), packet...)
	sum := uint32(0)
	for _, b := range p {
		sum ^= uint32(b) << 24
		for range 8 {
			sum = sum<<1 ^ sum>>31*0x04c11db7
		}
	}
	binary.LittleEndian.PutUint32(p[22:], sum)
	o.b = append(o.b, p...)
	o.number++
}

func TestEncodeOpus(t *testing.T) {
	const rate, total = 48000, 48000
	e, err := NewOpusEncoder(rate, 2, 96_000)
	must(t, err)
	defer e.Close()
	if e.FrameLength() != 960 || e.Priming() != 312 {
		t.Errorf("packets of %d, priming of %d", e.FrameLength(), e.Priming())
	}
	var file ogg
	file.page(2, 0, e.Config())
	file.page(0, 0, []byte("OpusTags\x01\x00\x00\x00x\x00\x00\x00\x00"))
	coded := 0
	emit := func(p AudioPacket) error {
		due := media.Time(coded-e.Priming()) * media.Second / rate
		if diff := p.PTS - due; diff < -2 || diff > 2 {
			t.Errorf("packet at %d, want %d", p.PTS, due)
		}
		coded += 960
		file.page(0, int64(coded), p.Data)
		return nil
	}
	want := sine(rate, total, 0)
	must(t, e.Encode(want, 0, emit))
	must(t, e.Flush(emit))
	name := filepath.Join(t.TempDir(), "opus.ogg")
	must(t, os.WriteFile(name, file.b, 0o600))
	got := pcm(t, 2, "-i", name)
	for k := range got {
		if len(got[k]) < total {
			t.Fatalf("%d samples", len(got[k]))
		}
		if r := snr(got[k][4800:total-4800], want.Planes[k][4800:total-4800]); r < 20 {
			t.Errorf("channel %d: %.1f dB", k, r)
		}
	}
}
