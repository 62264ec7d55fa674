package rtmp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// roomy is a buffer that holds any message of a negotiation.
const roomy = 68 << 10

// FuzzGuardNegotiation reads a peer before Detach. However its bytes come, the library is given the
// same, and each Read with enough room is exactly one message that any reader understands.
func FuzzGuardNegotiation(f *testing.F) {
	for i, c := range negotiationCases {
		f.Add(append(hello(), unhex(f, c.in)...), uint64(i))
	}
	for i, c := range guardCases {
		f.Add(append(hello(), unhex(f, c.in)...), uint64(i))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		whole, wholeErr := readAll(NewGuard(bytes.NewReader(b), DefaultLimits()), roomy)
		rng := rand.New(rand.NewPCG(seed, 0))
		g := NewGuard(&fragments{b: b, rng: rng}, DefaultLimits())
		var pieces []byte
		var err error
		p := make([]byte, roomy)
		for {
			n, readErr := g.Read(p)
			if at := len(pieces); n > 0 && at >= handshakeBytes {
				oneMessage(t, p[:n])
			}
			pieces = append(pieces, p[:n]...)
			checkHeld(t, g)
			if readErr != nil && !errors.Is(readErr, errWouldBlock) {
				err = readErr
				break
			}
		}
		if !bytes.Equal(whole, pieces) || !sameError(wholeErr, err) {
			t.Fatalf("whole %x, %v\nin pieces %x, %v", whole, wholeErr, pieces, err)
		}
	})
}

// sameError tells whether two errors are of the same kind. Their numbers may differ: a limit is
// seen earlier when bytes come in smaller pieces.
func sameError(a, b error) bool {
	for _, kind := range []error{
		io.EOF, io.ErrUnexpectedEOF, ErrLimit, ErrVersion, ErrChunk, ErrEarly, ErrAMF,
	} {
		if errors.Is(a, kind) || errors.Is(b, kind) {
			return errors.Is(a, kind) && errors.Is(b, kind)
		}
	}
	return a == b
}

// oneMessage makes sure that b is one chunk of format 0 and nothing else.
func oneMessage(t *testing.T, b []byte) {
	t.Helper()
	r := newReader(bytes.NewReader(b), DefaultLimits())
	r.chunk = MaxChunkSize
	r.events = true
	msgs, err := drain(r)
	if err != io.EOF || b[0]>>6 != 0 || len(msgs) != 1 && b[7] != TypeSetChunkSize {
		t.Fatalf("%x is %d messages, then %v", b, len(msgs), err)
	}
}

// checkHeld makes sure that the guard holds no more than it says it may.
func checkHeld(t *testing.T, g *Guard) {
	t.Helper()
	sum, got := 0, 0
	for _, s := range g.streams {
		sum += len(s.body)
		if s.active && !s.skip {
			got += s.got
		}
	}
	if sum != g.held || got != g.arrived {
		t.Fatalf("%d bytes held and %d arrived, counted %d and %d", sum, got, g.held, g.arrived)
	}
	most := 2*int(g.in.total) + aheadBytes + len(g.streams)*growStep
	if g.held > min(most, g.limits.MaxHeld) {
		t.Fatalf("%d bytes held after %d", g.held, g.in.total)
	}
	if len(g.streams) > g.limits.MaxChunkStreams || len(g.in.buf) > mediaBuffer {
		t.Fatalf("%d streams, buffer of %d bytes", len(g.streams), len(g.in.buf))
	}
}

// FuzzGuardNext reads a detached peer. However its bytes come, the messages are the same.
func FuzzGuardNext(f *testing.F) {
	for i, c := range guardCases {
		f.Add(unhex(f, c.in), uint64(i))
	}
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s := &sender{rng: rng, chunk: DefaultChunkSize, repeat: true}
		s.send(randomMessages(rng, 12))
		f.Add(s.dst, seed)
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		plain := newReader(bytes.NewReader(b), DefaultLimits())
		want, wantErr := drain(plain)
		for _, m := range want {
			if len(m.Body) == 0 || m.Tail != nil && len(m.Tail) != len(m.Body)+tailBytes {
				t.Fatalf("body of %d bytes, tail of %d", len(m.Body), len(m.Tail))
			}
		}
		g := newReader(&fragments{b: b, rng: rand.New(rand.NewPCG(seed, 0))}, DefaultLimits())
		if seed%2 == 0 {
			g.Compact()
		}
		var got []Message
		for {
			m, err := g.Next()
			checkHeld(t, g)
			if errors.Is(err, errWouldBlock) {
				continue
			}
			if err != nil {
				if !sameError(err, wantErr) {
					t.Fatalf("%v, want %v", err, wantErr)
				}
				break
			}
			m.Body = bytes.Clone(m.Body)
			if m.Tail != nil {
				m.Tail = bytes.Clone(m.Tail)
				m.Body = m.Tail[:len(m.Body):len(m.Body)]
			}
			got = append(got, m)
		}
		sameMessages(t, got, want)
		if g.Dropped() != plain.Dropped() {
			t.Fatalf("%d dropped, want %d", g.Dropped(), plain.Dropped())
		}
	})
}

// FuzzAMF decodes values. Check and decoding agree, and what was decoded is encoded to something
// that decodes to the same.
func FuzzAMF(f *testing.F) {
	for _, c := range amfCases {
		f.Add(unhex(f, c.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := parseAMF(b)
		if check := checkAMF(b); (check == nil) != (err == nil) {
			t.Fatalf("checkAMF says %v, parseAMF %v", check, err)
		}
		_, cmdErr := ParseCommand(b)
		_, metaErr := ParseMetadata(b)
		if err != nil {
			if !errors.Is(err, ErrAMF) || cmdErr == nil || metaErr == nil {
				t.Fatalf("%v, command %v, metadata %v", err, cmdErr, metaErr)
			}
			return
		}
		once := appendAll(values)
		again, err := parseAMF(once)
		if err != nil {
			t.Fatalf("%x was encoded as %x: %v", b, once, err)
		}
		if twice := appendAll(again); !bytes.Equal(once, twice) {
			t.Fatalf("encoded as %x, then as %x", once, twice)
		}
	})
}

func appendAll(values []Value) (b []byte) {
	for _, v := range values {
		b = AppendValue(b, v)
	}
	return b
}

// FuzzChunkRoundTrip sends random messages in every legal form of chunk and expects them back.
func FuzzChunkRoundTrip(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint16(1<<seed), uint8(10*seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, chunk uint16, count uint8) {
		rng := rand.New(rand.NewPCG(seed, 3))
		size := 1 + int(chunk)
		s := &sender{rng: rng, chunk: DefaultChunkSize, repeat: seed%2 == 0}
		s.dst = appendResize(s.dst, s.chunk, uint32(size))
		s.chunk = size
		want := s.send(randomMessages(rng, int(count)))
		g := newReader(&fragments{b: s.dst, rng: rng}, DefaultLimits())
		got, err := drain(g)
		if err != io.EOF {
			t.Fatalf("%v, want EOF", err)
		}
		sameMessages(t, got, want)
	})
}
