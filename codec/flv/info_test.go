package flv

import (
	"bytes"
	"errors"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

func TestParse(t *testing.T) {
	for _, c := range good {
		want := Info{Codec: c.codec, Role: c.role, Flags: c.flags, CTS: c.cts, Payload: c.payload}
		got, err := Parse(c.kind, []byte(c.body))
		if got != want || err != nil {
			t.Errorf("%s: Parse(%s, %x)\n got %+v, %v\nwant %+v",
				c.name, c.kind, c.body, got, err, want)
		}
	}
	for _, c := range bad {
		got, err := Parse(c.kind, []byte(c.body))
		if got != (Info{}) || !errors.Is(err, c.err) {
			t.Errorf("%s: Parse(%s, %x): %+v, %v, want %v",
				c.name, c.kind, c.body, got, err, c.err)
		}
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
	for _, c := range good {
		info, err := Parse(c.kind, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		nanos := c.cts - media.FromMillis(c.cts.Millis())
		for _, cts := range []media.Time{0, -3 * ms, 40 * ms, 1<<23*ms - ms, 1 << 23 * ms} {
			want := info
			fits := info.Flags.Has(Composition) && cts < 1<<23*ms
			if fits {
				want.CTS = cts + nanos
			}
			body := []byte(c.body)
			got, ok := SetCTS(body, info, cts)
			again, err := Parse(c.kind, body)
			if ok != fits || got != want || again != want || err != nil {
				t.Fatalf("%s: SetCTS %d: got %+v %v, parsed %+v %v, want %+v %v",
					c.name, cts, got, ok, again, err, want, fits)
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	var h [TagHeaderSize]byte
	for _, c := range good {
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
	for _, c := range good {
		f.Add(byte(c.kind), []byte(c.body))
	}
	for _, c := range bad {
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
