package main

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// seen is a message as a test keeps it.
type seen struct {
	typ    uint8
	length int
	head   string
}

type collector struct{ all []seen }

func (c *collector) emit(m message) error {
	c.all = append(c.all, seen{m.typ, m.length, string(m.head)})
	return nil
}

// fragments feeds b in pieces of random length.
func fragments(rng *rand.Rand, b []byte, feed func([]byte) error) error {
	for len(b) > 0 {
		n := min(1+rng.IntN(1+rng.IntN(200)), len(b))
		if err := feed(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func randomBody(rng *rand.Rand) []byte {
	b := make([]byte, 1+rng.IntN(1+rng.IntN(1000)))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func checkSeen(t *testing.T, got, want []seen) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("message %d: type %d of %d bytes %.20q, want type %d of %d bytes %.20q", i,
				got[i].typ, got[i].length, got[i].head, want[i].typ, want[i].length, want[i].head)
		}
	}
}

func TestChunks(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var stream []byte
		var want []seen
		chunk := rtmp.DefaultChunkSize
		for range 30 {
			if rng.IntN(10) == 0 {
				chunk = 4 + rng.IntN(500) // what a chunk size itself takes
				stream = rtmp.AppendSetChunkSize(stream, uint32(chunk))
			}
			typ, limit, csid := rtmp.TypeVideo, mediaHead, uint8(2+rng.IntN(8))
			if rng.IntN(4) == 0 {
				typ, limit, csid = rtmp.TypeCommand, commandHead, 200
			}
			body := randomBody(rng)
			ts := [...]uint32{0, 1000, 0xffffff, 1 << 31}[rng.IntN(4)]
			stream = rtmp.AppendMessage(stream, csid, typ, ts, 1, body, chunk)
			want = append(want, seen{typ, len(body), string(body[:min(limit, len(body))])})
		}
		var c collector
		p := newChunkParser()
		err := fragments(rng, stream, func(b []byte) error { return p.feed(b, c.emit) })
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		checkSeen(t, c.all, want)
	}
}

// TestChunkForms reads what AppendMessage does not write: short headers, long chunk stream ids,
// interleaved messages, an empty message.
func TestChunkForms(t *testing.T) {
	stream := []byte{
		6, 0, 0, 1, 0, 0, 130, 9, 1, 0, 0, 0, // stream 6: a picture of 130 bytes, 128 in this chunk
	}
	stream = append(stream, bytes.Repeat([]byte{7}, 128)...)
	stream = append(stream,
		0, 10, 0, 0, 1, 0, 0, 2, 8, 1, 0, 0, 0, 1, 2, // stream 74: a sound of 2 bytes
		0xc6, 7, 7, // the rest of the picture
		1<<6, 10, 0, 0, 5, 0, 0, 3, 8, 3, 4, 5, // format 1: 3 bytes
		2<<6, 10, 0, 0, 5, 6, 7, 8, // format 2: as long
		3<<6, 10, 9, 9, 9, // format 3: a new message
		1, 10, 1, 0, 0, 1, 0, 0, 1, 8, 1, 0, 0, 0, 5, // stream 330
		4, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, // an empty one
	)
	var c collector
	p := newChunkParser()
	if err := p.feed(stream, c.emit); err != nil {
		t.Fatal(err)
	}
	checkSeen(t, c.all, []seen{
		{8, 2, "\x01\x02"},
		{9, 130, strings.Repeat("\x07", mediaHead)},
		{8, 3, "\x03\x04\x05"},
		{8, 3, "\x06\x07\x08"},
		{8, 3, "\x09\x09\x09"},
		{8, 1, "\x05"},
		{9, 0, ""},
	})
}

func TestChunkErrors(t *testing.T) {
	for name, stream := range map[string]string{
		"begins with format 3": "\xc6",
		"chunk size 0":         "\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x00\x00",
		"chunk size of 1 byte": "\x02\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x05",
		"huge":                 "\x06\x00\x00\x00\xff\xff\xff\x09\x01\x00\x00\x00",
	} {
		var c collector
		p := newChunkParser()
		if err := p.feed([]byte(stream), c.emit); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

const okResponse = "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n\r\n"

func TestTags(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		file := flv.FileHeader(true, true)
		stream := append([]byte(okResponse), file[:]...)
		var want []seen
		for range 20 {
			kind := media.Kind(rng.IntN(media.Kinds))
			body := randomBody(rng)
			typ := map[media.Kind]uint8{media.Data: 18, media.Audio: 8, media.Video: 9}[kind]
			stream = flv.AppendTag(stream, kind, media.Time(rng.Int64N(1<<50)), body)
			want = append(want, seen{typ, len(body), string(body[:min(mediaHead, len(body))])})
		}
		var c collector
		p := newTagParser()
		err := fragments(rng, stream, func(b []byte) error { return p.feed(b, c.emit) })
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !p.accepted() {
			t.Errorf("seed %d: not accepted", seed)
		}
		checkSeen(t, c.all, want)
	}
}

func TestTagErrors(t *testing.T) {
	file := flv.FileHeader(true, true)
	stream := okResponse + string(file[:])
	tag := string(flv.AppendTag(nil, media.Audio, 0, []byte{1, 2}))
	for name, stream := range map[string]string{
		"not found": "HTTP/1.1 404 Not Found\r\n\r\n",
		"no HTTP":   "\r\n\r\n",
		"chunked":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"endless":   "HTTP/1.1 200 OK\r\n" + strings.Repeat("a", maxResponse),
		"no FLV":    okResponse + "GIF89a.......",
		"tag type":  stream + "\x05" + tag[1:],
		"empty":     stream + string(flv.AppendTag(nil, media.Audio, 0, nil)),
		"tag size":  stream + tag[:len(tag)-1] + "\x00" + tag,
	} {
		var c collector
		p := newTagParser()
		if err := p.feed([]byte(stream), c.emit); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzChunks(f *testing.F) {
	f.Add(rtmp.AppendMessage(nil, 6, rtmp.TypeVideo, 1<<24, 1, make([]byte, 300), 128))
	f.Add(rtmp.AppendSetChunkSize(nil, 4096))
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, split collector
		p, q := newChunkParser(), newChunkParser()
		err := p.feed(b, whole.emit)
		rng := rand.New(rand.NewPCG(1, 1))
		err2 := fragments(rng, b, func(b []byte) error { return q.feed(b, split.emit) })
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v at once, %v in pieces", err, err2)
		}
		checkSeen(t, split.all, whole.all)
	})
}

func FuzzTags(f *testing.F) {
	file := flv.FileHeader(true, true)
	stream := append([]byte(okResponse), file[:]...)
	f.Add(flv.AppendTag(stream, media.Video, 1<<24, make([]byte, 300)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, split collector
		p, q := newTagParser(), newTagParser()
		err := p.feed(b, whole.emit)
		rng := rand.New(rand.NewPCG(1, 1))
		err2 := fragments(rng, b, func(b []byte) error { return q.feed(b, split.emit) })
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v at once, %v in pieces", err, err2)
		}
		checkSeen(t, split.all, whole.all)
	})
}
