package flv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/headwater-live/headwater/codec/media"
)

func TestNewBody(t *testing.T) {
	for _, n := range []int{0, 1, 5, 1 << 16, MaxBodySize} {
		body, tail := NewBody(n)
		if len(body) != n || len(tail) != n+4 {
			t.Fatalf("NewBody(%d): %d and %d bytes", n, len(body), len(tail))
		}
		if got := binary.BigEndian.Uint32(tail[n:]); got != uint32(n+11) {
			t.Fatalf("NewBody(%d): PreviousTagSize %d", n, got)
		}
		_ = append(body, 0xff)
		if got := binary.BigEndian.Uint32(tail[n:]); got != uint32(n+11) {
			t.Fatalf("NewBody(%d): append to body wrote to tail", n)
		}
	}
	if n := testing.AllocsPerRun(10, func() { sink, _ = NewBody(100) }); n != 1 {
		t.Fatalf("NewBody: %v allocations, want 1", n)
	}
}

var sink []byte

func TestPutTagHeader(t *testing.T) {
	for _, c := range []struct {
		kind media.Kind
		dts  media.Time
		n    int
		want string
	}{
		{media.Video, 0, 0, "\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
		{media.Audio, 0x010203 * ms, 0x040506, "\x08\x04\x05\x06\x01\x02\x03\x00\x00\x00\x00"},
		{media.Data, 0xffffff * ms, 1, "\x12\x00\x00\x01\xff\xff\xff\x00\x00\x00\x00"},
		{media.Video, 0x1000000 * ms, 1, "\x09\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00"},
		{media.Video, 16800000*ms + 999999, 1, "\x09\x00\x00\x01\x00\x59\x00\x01\x00\x00\x00"},
		{media.Video, 0xffffffff * ms, 1, "\x09\x00\x00\x01\xff\xff\xff\xff\x00\x00\x00"},
		{media.Video, 0x100000002 * ms, 1, "\x09\x00\x00\x01\x00\x00\x02\x00\x00\x00\x00"},
	} {
		var h [TagHeaderSize]byte
		PutTagHeader(&h, c.kind, c.dts, c.n)
		if string(h[:]) != c.want {
			t.Errorf("%s at %d: % x, want % x", c.kind, c.dts, h, c.want)
		}
	}
}

// stream is a well-formed FLV stream of a few tags.
func stream() []byte {
	var m Metadata
	meta, _ := m.Number("width", 720).String("encoder", "x").Bool("stereo", true).Body()
	h := FileHeader(true, true)
	b := AppendTag(h[:], media.Data, 0, meta)
	b = AppendTag(b, media.Video, 0, []byte("\x17\x00\x00\x00\x00conf"))
	b = AppendTag(b, media.Audio, 23*ms, []byte("\xaf\x01d"))
	b = AppendTag(b, media.Audio, 46*ms, nil)
	return AppendTag(b, media.Video, 0xffffffff*ms, []byte("\x27\x01\x00\x00\x00data"))
}

func TestReader(t *testing.T) {
	want := stream()
	r := NewReader(iotest.OneByteReader(bytes.NewReader(want)), 0)
	video, audio, err := r.Header()
	if !video || !audio || err != nil {
		t.Fatalf("header %v %v %v", video, audio, err)
	}
	h := FileHeader(video, audio)
	got := h[:]
	for {
		tag, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(tag.Tail) != len(tag.Body)+4 {
			t.Fatalf("body %d, tail %d", len(tag.Body), len(tag.Tail))
		}
		got = AppendTag(got, tag.Kind, tag.Time, tag.Body)
	}
	if !bytes.Equal(got, want) || r.Offset() != int64(len(want)) {
		t.Fatalf("read and written again: %d bytes\n% x\nwant %d\n% x",
			r.Offset(), got, len(want), want)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatalf("after the end: %v", err)
	}
}

func TestReaderErrors(t *testing.T) {
	whole := stream()
	patch := func(at int, v byte) []byte {
		b := bytes.Clone(whole)
		b[at] = v
		return b
	}
	for name, c := range map[string]struct {
		in   []byte
		err  error
		text string
	}{
		"empty":         {nil, io.ErrUnexpectedEOF, "byte 0"},
		"no signature":  {patch(0, 'G'), ErrInvalid, "byte 0"},
		"version":       {patch(3, 2), ErrInvalid, "byte 0"},
		"data offset":   {patch(8, 8), ErrInvalid, "8 bytes"},
		"huge offset":   {patch(5, 1), ErrInvalid, "16777225 bytes"},
		"cut header":    {whole[:12], io.ErrUnexpectedEOF, "byte 12"},
		"tag type":      {patch(13, 10), ErrInvalid, "byte 13"},
		"stream id":     {patch(23, 1), ErrInvalid, "byte 13"},
		"large body":    {patch(14, 1), ErrInvalid, "byte 13"},
		"cut tag":       {whole[:20], io.ErrUnexpectedEOF, "byte 13"},
		"cut body":      {whole[:30], io.ErrUnexpectedEOF, "byte 13"},
		"wrong size":    {patch(len(whole)-1, 0), ErrInvalid, "PreviousTagSize 0"},
		"cut last size": {whole[:len(whole)-1], io.ErrUnexpectedEOF, "tag at byte"},
	} {
		r := NewReader(bytes.NewReader(c.in), 1000)
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.err, c.text)
		}
		if _, again := r.Next(); again != err {
			t.Errorf("%s: then %v, want the same again", name, again)
		}
	}
}

func TestReaderLongHeader(t *testing.T) {
	b := []byte("FLV\x01\x01\x00\x00\x00\x0bxx\x00\x00\x00\x00")
	r := NewReader(bytes.NewReader(AppendTag(b, media.Audio, 0, []byte("a"))), 0)
	if video, audio, err := r.Header(); !video || audio || err != nil {
		t.Fatal(video, audio, err)
	}
	if tag, err := r.Next(); err != nil || string(tag.Body) != "a" {
		t.Fatal(tag, err)
	}
}

func TestMetadata(t *testing.T) {
	var m Metadata
	long := strings.Repeat("l", 1<<16)
	body, tail := m.Number("n", 1.5).String("s", "v").Bool("t", true).Bool("f", false).
		String("l", long).Body()
	want := "\x02\x00\x0aonMetaData\x08\x00\x00\x00\x05" +
		"\x00\x01n\x00\x3f\xf8\x00\x00\x00\x00\x00\x00" +
		"\x00\x01s\x02\x00\x01v" + "\x00\x01t\x01\x01" + "\x00\x01f\x01\x00" +
		"\x00\x01l\x0c\x00\x01\x00\x00" + long + "\x00\x00\x09"
	if string(body) != want {
		t.Fatalf("got % .80x\nwant % .80x", body, want)
	}
	u, err := Unit(media.Data, 0, body, tail)
	if err != nil || u.Role != media.SequenceHeader {
		t.Fatal(u.Role, err)
	}
	set := append([]byte(setDataFrame), body...)
	if got := StripSetDataFrame(set); !bytes.Equal(got, body) || &got[0] != &set[16] {
		t.Fatal("StripSetDataFrame did not cut the name")
	}
	if got := StripSetDataFrame(body); &got[0] != &body[0] || len(got) != len(body) {
		t.Fatal("StripSetDataFrame cut what is not there")
	}
}

func FuzzFLVReader(f *testing.F) {
	whole := stream()
	f.Add(whole)
	f.Add(whole[:len(whole)-2])
	f.Add([]byte("FLV\x01\x05\x00\x00\x00\x0bxx\x00\x00\x00\x00"))
	f.Add([]byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00\x09\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		const maxBody = 1 << 16
		r := NewReader(bytes.NewReader(in), maxBody)
		video, audio, err := r.Header()
		if err != nil {
			return
		}
		h := FileHeader(video, audio)
		out := h[:]
		for {
			tag, err := r.Next()
			if err != nil {
				break
			}
			if len(tag.Body) > maxBody {
				t.Fatalf("body of %d bytes", len(tag.Body))
			}
			out = AppendTag(out, tag.Kind, tag.Time, tag.Body)
		}
		if r.Offset() > int64(len(in)) {
			t.Fatalf("offset %d of %d", r.Offset(), len(in))
		}
		// What was read is what was there. The file header may have been longer.
		if skip := int(be32(in[5:])) + 4; !bytes.HasPrefix(in[skip:], out[FileHeaderSize:]) {
			t.Fatalf("read % x\nfrom % x", out, in)
		}
	})
}

func BenchmarkPutTagHeader(b *testing.B) {
	var h [TagHeaderSize]byte
	b.ReportAllocs()
	for b.Loop() {
		PutTagHeader(&h, media.Video, 16800000*ms, 8453)
	}
}

func BenchmarkNewBody(b *testing.B) {
	for _, n := range []int{372, 8453} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink, _ = NewBody(n)
			}
		})
	}
}
