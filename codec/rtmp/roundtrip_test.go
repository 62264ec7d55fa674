package rtmp

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
)

// TestRoundTrip sends random messages in every legal form and expects them back.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := &sender{rng: rng, chunk: DefaultChunkSize, repeat: seed%2 == 0}
		want := s.send(randomMessages(rng, 40))
		for name, r := range map[string]io.Reader{
			"whole":     bytes.NewReader(s.dst),
			"trickle":   &trickle{b: s.dst},
			"fragments": &fragments{b: s.dst, rng: rng},
		} {
			g := newReader(r, DefaultLimits())
			if name == "trickle" {
				g.Compact()
			}
			got, err := drain(g)
			if err != io.EOF {
				t.Fatalf("seed %d, %s: %v, want EOF", seed, name, err)
			}
			sameMessages(t, got, want)
			if g.Held() != 0 || g.arrived != 0 || g.BytesRead() != uint64(len(s.dst)) {
				t.Fatalf("seed %d, %s: %d held, %d arrived, %d of %d read",
					seed, name, g.Held(), g.arrived, g.BytesRead(), len(s.dst))
			}
		}
	}
}

// TestAppendMessageRoundTrip writes with AppendMessage at every kind of chunk size.
func TestAppendMessageRoundTrip(t *testing.T) {
	for _, chunk := range []int{1, 127, 128, 129, 4096, 60000, MaxChunkSize} {
		for _, size := range []int{1, 127, 128, 129, 256, 5000, 70_000} {
			for _, ts := range []uint32{0, extended - 1, extended, 1<<32 - 1} {
				m := sent{csid: 6, typ: TypeVideo, ts: ts, streamID: 1, body: make([]byte, size)}
				for i := range m.body {
					m.body[i] = byte(i)
				}
				b := AppendSetChunkSize(nil, uint32(chunk))
				for _, csid := range []uint8{6, 63, 64, 255} {
					b = AppendMessage(b, csid, m.typ, m.ts, m.streamID, m.body, chunk)
				}
				got, err := drain(newReader(bytes.NewReader(b), DefaultLimits()))
				if err != io.EOF {
					t.Fatalf("chunk %d, size %d, ts %d: %v", chunk, size, ts, err)
				}
				w := m.message()
				sameMessages(t, got, []Message{w, w, w, w})
			}
		}
	}
}
