package publish

import (
	"slices"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

var (
	metadata, _ = new(flv.Metadata).Number("width", 640).Body()

	videoHeader = []byte{0x17, 0, 0, 0, 0, 1, 100, 0, 31, 0xff, 0xe1, 0, 0, 0}
	audioHeader = []byte{0xaf, 0, 0x11, 0x90}
	keyframe    = []byte{0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65}
	delta       = []byte{0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41}
	sound       = []byte{0xaf, 1, 0x21}
)

// file writes an FLV file that begins at a timestamp: metadata, headers, and 4 pictures 5 ms apart
// with sound each 4 ms, 20 ms in all.
func file(from int64) []byte {
	head := flv.FileHeader(true, true)
	b := head[:]
	add := func(kind media.Kind, at int64, body []byte) {
		b = flv.AppendTag(b, kind, media.FromMillis(from+at), body)
	}
	add(media.Data, 0, metadata)
	add(media.Video, 0, videoHeader)
	add(media.Audio, 0, audioHeader)
	add(media.Video, 0, keyframe)
	add(media.Audio, 0, sound)
	add(media.Audio, 4, sound)
	add(media.Video, 5, delta)
	add(media.Audio, 8, sound)
	add(media.Video, 10, delta)
	add(media.Audio, 12, sound)
	add(media.Video, 15, delta)
	add(media.Audio, 16, sound)
	return b
}

func TestLoop(t *testing.T) {
	for _, from := range []int64{0, 5000, 1<<32 - 30} {
		l, err := parse(file(from))
		if err != nil {
			t.Fatal(err)
		}
		if l.period != 20 {
			t.Fatalf("from %d: period %d ms, want 20", from, l.period)
		}
		last := map[uint8]int64{8: -4, 9: -5}
		step := map[uint8]int64{8: 4, 9: 5}
		seen, once := 0, 0
		for tag := range l.forever() {
			if tag.once {
				once++
				continue
			}
			if tag.at != last[tag.typ]+step[tag.typ] {
				t.Fatalf("type %d: %d ms behind %d", tag.typ, tag.at, last[tag.typ])
			}
			last[tag.typ] = tag.at
			if seen++; seen == 9*100 {
				break
			}
		}
		if once != 3 || last[9] != 100*20-5 {
			t.Fatalf("from %d: %d tags once, want 3; last picture at %d", from, once, last[9])
		}
	}
}

func TestLoopRefuses(t *testing.T) {
	head := flv.FileHeader(true, true)
	one := slices.Clip(flv.AppendTag(head[:], media.Video, 0, keyframe))
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":           {nil, "file header"},
		"something else":    {[]byte("RIFF....WAVEfmt "), "file header"},
		"cut":               {file(0)[:300], "unexpected EOF"},
		"no tags":           {head[:], "0 tags: no two frames"},
		"one frame":         {one, "1 tags: no two frames"},
		"frames at a time":  {flv.AppendTag(one, media.Video, 0, delta), "2 tags: no two frames"},
		"a body that lies":  {flv.AppendTag(one, media.Video, 0, []byte{0x17}), "before byte"},
		"only one of each":  {flv.AppendTag(one, media.Audio, 0, sound), "2 tags: no two frames"},
		"headers and a key": {flv.AppendTag(one, media.Video, 0, videoHeader), "no two frames"},
	} {
		l, err := parse(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, l, err, c.want)
		}
	}
}
