package demo_test

import (
	"encoding/binary"
	"testing"

	"github.com/headwater-live/headwater/cmd/headwater/demo"
)

type tag struct {
	kind byte
	ms   int64
	body []byte
}

// tags reads an FLV file strictly: any byte out of place fails the test.
func tags(t *testing.T, b []byte) []tag {
	t.Helper()
	if len(b) < 13 || string(b[:3]) != "FLV" || b[4] != 5 {
		t.Fatalf("no FLV header with audio and video: % x", b[:min(13, len(b))])
	}
	var out []tag
	for at := 13; at < len(b); {
		size := int(binary.BigEndian.Uint32(b[at:]) & 0xffffff)
		stamp := binary.BigEndian.Uint32(b[at+4:])
		end := at + 11 + size
		if end+4 > len(b) || int(binary.BigEndian.Uint32(b[end:])) != 11+size {
			t.Fatalf("tag at %d: size %d does not fit", at, size)
		}
		out = append(out, tag{b[at], int64(stamp>>8 | stamp<<24), b[at+11 : end]})
		at = end + 4
	}
	return out
}

// TestLoop checks what a publisher of the loop relies on: whole tracks of one period, in order,
// beginning with headers and an IDR picture.
func TestLoop(t *testing.T) {
	file := demo.FLV()
	if len(file) > 600_000 {
		t.Errorf("%d bytes is too much to carry in the binary", len(file))
	}
	var pictures, frames int
	var video, audio, last int64
	headers := map[byte]bool{}
	for i, tag := range tags(t, file) {
		if tag.ms < last {
			t.Fatalf("tag %d: %d ms after %d ms", i, tag.ms, last)
		}
		last = tag.ms
		switch {
		case tag.kind == 18:
			headers[tag.kind] = true
		case tag.body[1] == 0: // AVCPacketType and AACPacketType: sequence header
			headers[tag.kind] = true
		case !headers[8] || !headers[9] || !headers[18]:
			t.Fatalf("tag %d of kind %d before the headers", i, tag.kind)
		case tag.kind == 8:
			frames, audio = frames+1, tag.ms
		case tag.kind == 9:
			checkPicture(t, pictures, tag)
			pictures, video = pictures+1, tag.ms
		}
	}
	if pictures != demo.Pictures || frames != demo.AudioFrames {
		t.Errorf("%d pictures and %d audio frames, want %d and %d",
			pictures, frames, demo.Pictures, demo.AudioFrames)
	}
	period := demo.Period.Milliseconds()
	if video != period-33 || audio != period-21 {
		t.Errorf("last picture at %d ms, last audio at %d ms of %d", video, audio, period)
	}
}

func checkPicture(t *testing.T, n int, tag tag) {
	t.Helper()
	if want := int64(n)*100/3 + 1; tag.ms < want-1 || tag.ms > want+1 {
		t.Errorf("picture %d at %d ms, want about %d", n, tag.ms, want)
	}
	key, idr := tag.body[0]>>4 == 1, tag.body[9]&31 == 5
	if want := n%30 == 0; key != want || idr != want {
		t.Errorf("picture %d: keyframe %v, IDR %v, want %v", n, key, idr, want)
	}
	if cts := binary.BigEndian.Uint32(tag.body[1:]) & 0xffffff; cts != 0 {
		t.Errorf("picture %d: composition time %d, want 0", n, cts)
	}
}
