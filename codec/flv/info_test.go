package flv

import (
	"bytes"
	"errors"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

const ms = media.Millisecond

// parseTable is the truth about Parse; its bodies seed the fuzz targets.
var parseTable = []struct {
	name string
	kind media.Kind
	body string
	want Info
	err  error
}{
	{"avc header", media.Video, "\x17\x00\x00\x00\x00conf",
		Info{Codec: media.AVC, Role: media.SequenceHeader, Payload: 5}, nil},
	{"avc keyframe", media.Video, "\x17\x01\x00\x00\x42data",
		Info{Codec: media.AVC, Role: media.Keyframe, Flags: Composition, CTS: 66 * ms,
			Payload: 5}, nil},
	{"avc frame, negative composition time", media.Video, "\x27\x01\xff\xff\xfe",
		Info{Codec: media.AVC, Flags: Composition, CTS: -2 * ms, Payload: 5}, nil},
	{"avc disposable", media.Video, "\x37\x01\x00\x00\x00d",
		Info{Codec: media.AVC, Flags: Disposable | Composition, Payload: 5}, nil},
	{"avc end of sequence", media.Video, "\x17\x02\x00\x00\x00",
		Info{Codec: media.AVC, Flags: EndOfSequence, Payload: 5}, nil},
	{"avc command frame", media.Video, "\x57\x00",
		Info{Codec: media.AVC, Flags: CommandFrame, Payload: 1}, nil},
	{"avc cut", media.Video, "\x17\x01\x00\x00", Info{}, ErrTruncated},
	{"avc packet type", media.Video, "\x17\x03\x00\x00\x00", Info{}, ErrInvalid},
	{"legacy hevc", media.Video, "\x1c\x01\x00\x00\x01d",
		Info{Codec: media.HEVC, Role: media.Keyframe, Flags: Composition, CTS: ms,
			Payload: 5}, nil},
	{"sorenson", media.Video, "\x12d",
		Info{Codec: fourCC("FLV1"), Role: media.Keyframe, Payload: 1}, nil},
	{"no such video codec", media.Video, "\x10d", Info{}, ErrInvalid},
	{"empty video", media.Video, "", Info{}, ErrTruncated},
	{"aac header", media.Audio, "\xaf\x00\x11\x90",
		Info{Codec: media.AAC, Role: media.SequenceHeader, Payload: 2}, nil},
	{"aac frame", media.Audio, "\xaf\x01\x21",
		Info{Codec: media.AAC, Role: media.Keyframe, Payload: 2}, nil},
	{"aac cut", media.Audio, "\xaf", Info{}, ErrTruncated},
	{"aac packet type", media.Audio, "\xaf\x02", Info{}, ErrInvalid},
	{"mp3", media.Audio, "\x2fd", Info{Codec: media.MP3, Role: media.Keyframe, Payload: 1}, nil},
	{"no such sound format", media.Audio, "\xc0d", Info{}, ErrInvalid},
	{"ex hevc header", media.Video, "\x90hvc1conf",
		Info{Codec: media.HEVC, Role: media.SequenceHeader, Flags: Enhanced, Payload: 5}, nil},
	{"ex hevc keyframe", media.Video, "\x91hvc1\x00\x00\x21data",
		Info{Codec: media.HEVC, Role: media.Keyframe, Flags: Enhanced | Composition, CTS: 33 * ms,
			Payload: 8}, nil},
	{"ex hevc without composition time", media.Video, "\xa3hvc1data",
		Info{Codec: media.HEVC, Flags: Enhanced, Payload: 5}, nil},
	{"ex hevc cut", media.Video, "\x91hvc1\x00\x00", Info{}, ErrTruncated},
	{"ex hevc end", media.Video, "\x92hvc1",
		Info{Codec: media.HEVC, Flags: Enhanced | EndOfSequence, Payload: 5}, nil},
	{"ex avc", media.Video, "\xa1avc1\x00\x00\x02d",
		Info{Codec: media.AVC, Flags: Enhanced | Composition, CTS: 2 * ms, Payload: 8}, nil},
	{"ex av1 keyframe", media.Video, "\x91av01data",
		Info{Codec: media.AV1, Role: media.Keyframe, Flags: Enhanced, Payload: 5}, nil},
	{"ex av1 transport stream header", media.Video, "\x95av01conf",
		Info{Codec: media.AV1, Role: media.SequenceHeader, Flags: Enhanced, Payload: 5}, nil},
	{"ex vp9 frame", media.Video, "\xa1vp09data",
		Info{Codec: media.VP9, Flags: Enhanced, Payload: 5}, nil},
	{"ex metadata", media.Video, "\x94hvc1\x02\x00\x09colorInfo",
		Info{Codec: media.HEVC, Flags: Enhanced | VideoMetadata, Payload: 5}, nil},
	{"ex metadata, command type", media.Video, "\xd4hvc1",
		Info{Codec: media.HEVC, Flags: Enhanced | VideoMetadata, Payload: 5}, nil},
	{"ex command", media.Video, "\xd1\x00",
		Info{Flags: Enhanced | CommandFrame, Payload: 1}, nil},
	{"ex unknown codec", media.Video, "\x91zzzzdata",
		Info{Codec: fourCC("zzzz"), Role: media.Keyframe, Flags: Enhanced, Payload: 5}, nil},
	{"ex codec cut", media.Video, "\x91hvc", Info{}, ErrTruncated},
	{"ex packet type", media.Video, "\x98hvc1", Info{}, ErrInvalid},
	{"ex modex nanoseconds", media.Video, "\x97\x02\x07\xa1\x20\x01hvc1\x00\x00\x01d",
		Info{Codec: media.HEVC, Role: media.Keyframe, Flags: Enhanced | Composition,
			CTS: ms + 500000, Payload: 13}, nil},
	{"ex modex twice, unknown first", media.Video, "\xa7\x00\xaa\x17\x02\x00\x00\x05\x03av01d",
		Info{Codec: media.AV1, Flags: Enhanced, CTS: 5, Payload: 13}, nil},
	{"ex modex nanoseconds too large", media.Video, "\x97\x02\xff\xff\xff\x01av01",
		Info{Codec: media.AV1, Role: media.Keyframe, Flags: Enhanced, CTS: 999999,
			Payload: 10}, nil},
	{"ex modex long", media.Video,
		"\x97\xff\x01\x01" + string(make([]byte, 0x102)) + "\x11av01",
		Info{Codec: media.AV1, Role: media.Keyframe, Flags: Enhanced, Payload: 4 + 0x102 + 5}, nil},
	{"ex modex without size", media.Video, "\x97", Info{}, ErrTruncated},
	{"ex modex cut", media.Video, "\x97\x02\x00\x00\x00", Info{}, ErrTruncated},
	{"ex modex long size cut", media.Video, "\x97\xff\x00", Info{}, ErrTruncated},
	{"ex multitrack, default track", media.Video, "\x96\x01hvc1\x00\x00\x00\x00d",
		Info{Codec: media.HEVC, Role: media.Keyframe, Flags: Enhanced | Multitrack,
			Payload: 6}, nil},
	{"ex multitrack, further track", media.Video, "\x96\x01hvc1\x01\x00\x00\x00d",
		Info{Codec: media.HEVC, Flags: Enhanced | Multitrack, Payload: 6}, nil},
	{"ex multitrack, further header", media.Video, "\x96\x00hvc1\x01conf",
		Info{Codec: media.HEVC, Flags: Enhanced | Multitrack, Payload: 6}, nil},
	{"ex multitrack, many", media.Video, "\x96\x10hvc1\x00\x00\x00\x04conf",
		Info{Codec: media.HEVC, Role: media.SequenceHeader, Flags: Enhanced | Multitrack,
			Payload: 6}, nil},
	{"ex multitrack, many codecs", media.Video, "\x96\x23hvc1\x00\x00\x00\x01d",
		Info{Role: media.Keyframe, Flags: Enhanced | Multitrack, Payload: 2}, nil},
	{"ex multitrack in itself", media.Video, "\x96\x06hvc1", Info{}, ErrInvalid},
	{"ex multitrack type", media.Video, "\x96\x31hvc1", Info{}, ErrInvalid},
	{"ex multitrack cut", media.Video, "\x96", Info{}, ErrTruncated},
	{"ex multitrack without id", media.Video, "\x96\x01hvc1", Info{}, ErrTruncated},
	{"ex opus header", media.Audio, "\x90OpusOpusHead",
		Info{Codec: media.Opus, Role: media.SequenceHeader, Flags: Enhanced, Payload: 5}, nil},
	{"ex opus frame", media.Audio, "\x91Opusd",
		Info{Codec: media.Opus, Role: media.Keyframe, Flags: Enhanced, Payload: 5}, nil},
	{"ex aac header", media.Audio, "\x90mp4a\x11\x90",
		Info{Codec: media.AAC, Role: media.SequenceHeader, Flags: Enhanced, Payload: 5}, nil},
	{"ex ac-3", media.Audio, "\x91ac-3d",
		Info{Codec: fourCC("ac-3"), Role: media.Keyframe, Flags: Enhanced, Payload: 5}, nil},
	{"ex audio end", media.Audio, "\x92Opus",
		Info{Codec: media.Opus, Flags: Enhanced | EndOfSequence, Payload: 5}, nil},
	{"ex multichannel", media.Audio, "\x94Opus\x01\x02\x00\x00\x00\x03",
		Info{Codec: media.Opus, Role: media.SequenceHeader, Flags: Enhanced | Multichannel,
			Payload: 5}, nil},
	{"ex audio modex", media.Audio, "\x97\x02\x00\x00\x09\x01Opusd",
		Info{Codec: media.Opus, Role: media.Keyframe, Flags: Enhanced, CTS: 9, Payload: 10}, nil},
	{"ex audio further track", media.Audio, "\x95\x01Opus\x02d",
		Info{Codec: media.Opus, Flags: Enhanced | Multitrack, Payload: 6}, nil},
	{"ex audio packet type", media.Audio, "\x93Opus", Info{}, ErrInvalid},
	{"ex audio cut", media.Audio, "\x91Op", Info{}, ErrTruncated},
	{"metadata", media.Data, onMetaData + "\x05",
		Info{Role: media.SequenceHeader}, nil},
	{"metadata to a server", media.Data, setDataFrame + onMetaData + "\x05",
		Info{Role: media.SequenceHeader, Flags: SetDataFrame, Payload: 16}, nil},
	{"other script", media.Data, "\x02\x00\x0aonTextData\x05", Info{}, nil},
	{"longer name", media.Data, "\x02\x00\x0bonMetaDataX", Info{}, nil},
	{"not AMF0", media.Data, "\xff", Info{}, nil},
	{"empty script", media.Data, "", Info{}, ErrTruncated},
	{"no such kind", media.Kind(7), "x", Info{}, ErrInvalid},
}

func TestParse(t *testing.T) {
	for _, c := range parseTable {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.kind, []byte(c.body))
			if got != c.want || !errors.Is(err, c.err) {
				t.Fatalf("Parse(%s, %x)\n got %+v, %v\nwant %+v, %v",
					c.kind, c.body, got, err, c.want, c.err)
			}
		})
	}
}

func TestUnit(t *testing.T) {
	body, tail := NewBody(6)
	copy(body, "\x17\x01\x00\x00\x0ad")
	u, err := Unit(media.Video, 5*ms, body, tail)
	if err != nil {
		t.Fatal(err)
	}
	if u.Kind != media.Video || u.Role != media.Keyframe || u.Codec != media.AVC ||
		u.DTS != 5*ms || u.PTS() != 15*ms || &u.Body[0] != &body[0] || &u.Tail[0] != &tail[0] {
		t.Fatalf("unit %+v", u)
	}
	wrong := bytes.Clone(tail)
	wrong[9]++
	for name, c := range map[string]struct{ body, tail []byte }{
		"no tail":       {body, nil},
		"other memory":  {body, bytes.Clone(tail)},
		"cut body":      {body[:5], tail},
		"wrong size":    {wrong[:6], wrong},
		"not a picture": {nil, tail},
	} {
		if _, err := Unit(media.Video, 0, c.body, c.tail); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSetCTS(t *testing.T) {
	for _, c := range parseTable {
		if c.err != nil {
			continue
		}
		body := []byte(c.body)
		for _, cts := range []media.Time{0, -3 * ms, 40 * ms, 1<<23*ms - ms, 1 << 23 * ms} {
			want := c.want
			fits := c.want.Flags.Has(Composition) && cts < 1<<23*ms
			if fits {
				want.CTS = cts + c.want.CTS%ms
				if c.want.CTS < 0 {
					want.CTS = cts
				}
			}
			b := bytes.Clone(body)
			got, ok := SetCTS(b, c.want, cts)
			again, err := Parse(c.kind, b)
			if ok != fits || got != want || again != want || err != nil {
				t.Fatalf("%s: SetCTS %d: got %+v %v, parsed %+v %v, want %+v %v",
					c.name, cts, got, ok, again, err, want, fits)
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	var h [TagHeaderSize]byte
	for _, c := range parseTable {
		if c.err != nil {
			continue
		}
		body := []byte(c.body)
		if n := testing.AllocsPerRun(10, func() {
			if _, err := Parse(c.kind, body); err != nil {
				t.Fatal(err)
			}
			PutTagHeader(&h, c.kind, 0, len(body))
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func FuzzFLVParse(f *testing.F) {
	for _, c := range parseTable {
		f.Add(byte(c.kind), []byte(c.body))
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		before := bytes.Clone(body)
		info, err := Parse(media.Kind(kind), body)
		if !bytes.Equal(body, before) {
			t.Fatal("Parse wrote to the body")
		}
		if err != nil {
			if info != (Info{}) || !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrInvalid) {
				t.Fatalf("%+v with error %v", info, err)
			}
			return
		}
		checkInfo(t, media.Kind(kind), info, len(body))
		if set, ok := SetCTS(body, info, 7*ms); ok {
			if again, err := Parse(media.Kind(kind), body); again != set || err != nil {
				t.Fatalf("after SetCTS: %+v, %v, want %+v", again, err, set)
			}
		}
	})
}

func checkInfo(t *testing.T, kind media.Kind, info Info, size int) {
	t.Helper()
	if info.Payload < 0 || info.Payload > size {
		t.Fatalf("payload at %d of %d", info.Payload, size)
	}
	if info.Flags&(EndOfSequence|CommandFrame|VideoMetadata) != 0 && info.Role != media.Frame {
		t.Fatalf("%+v has no media but role %s", info, info.Role)
	}
	if kind == media.Data && info.Codec != 0 {
		t.Fatalf("script with codec %s", info.Codec)
	}
	if info.CTS < -(1<<23)*ms || info.CTS >= (1<<23)*ms {
		t.Fatalf("composition time %d", info.CTS)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name string
		kind media.Kind
		body string
	}{
		{"avc", media.Video, "\x27\x01\x00\x00\x21data"},
		{"aac", media.Audio, "\xaf\x01data"},
		{"hevc", media.Video, "\xa1hvc1\x00\x00\x21data"},
		{"metadata", media.Data, setDataFrame + onMetaData + "\x05"},
	} {
		body := []byte(c.body)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(c.kind, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
