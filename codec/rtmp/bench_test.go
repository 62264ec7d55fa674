package rtmp

import (
	"strconv"
	"testing"
)

// loop is a stream of audio and video messages without end, with a mean length of about 8 KB.
type loop struct {
	first []byte // once
	b     []byte // for ever
	i     int
	mean  int
}

func newLoop(chunk int) *loop {
	l := &loop{first: AppendSetChunkSize(nil, uint32(chunk))}
	sizes := []int{40_000, 350, 12_000, 11_000, 360, 9_000, 350, 8_000, 7_000, 340, 1_600}
	for i, n := range sizes {
		typ, csid := TypeVideo, ChunkVideo
		if n < 400 {
			typ, csid = TypeAudio, ChunkAudio
		}
		l.b = AppendMessage(l.b, csid, typ, uint32(i*20), 1, make([]byte, n), chunk)
		l.mean += n
	}
	l.mean /= len(sizes)
	return l
}

func (l *loop) Read(p []byte) (int, error) {
	if len(l.first) > 0 {
		n := copy(p, l.first)
		l.first = l.first[n:]
		return n, nil
	}
	n := copy(p, l.b[l.i:])
	l.i = (l.i + n) % len(l.b)
	return n, nil
}

func BenchmarkGuardNext(b *testing.B) {
	for _, chunk := range []int{128, 4096, 60000} {
		b.Run(strconv.Itoa(chunk), func(b *testing.B) {
			l := newLoop(chunk)
			g := newReader(l, DefaultLimits())
			b.ReportAllocs()
			b.SetBytes(int64(l.mean))
			for b.Loop() {
				if _, err := g.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPutHeader(b *testing.B) {
	var h [MaxHeader]byte
	b.ReportAllocs()
	for b.Loop() {
		PutHeader(&h, ChunkVideo, TypeVideo, 1<<24, 1, 8192)
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	body := make([]byte, 8192)
	var dst []byte
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		dst = AppendMessage(dst[:0], ChunkVideo, TypeVideo, 40, 1, body, 4096)
	}
}
