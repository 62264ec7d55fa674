package rtmp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// hello is a handshake as a client sends it.
func hello() []byte { return append([]byte{version}, make([]byte, 2*handshakeBlock)...) }

// internal is the chunk size that a guard announces to the library.
const internal = "02 000000 000004 01 00000000 00ffffff"

// negotiationCases are chunk streams before Detach and what the library reads of each.
var negotiationCases = []struct {
	name string
	in   string
	want string
	err  error
}{
	{name: "nothing"},
	{
		name: "chunks of a command",
		in: "02 000000 000004 01 00000000 00000008" +
			"03 000000 000012 14 00000000 02 0005 7061757365  c3 00 00000000000000  c3 00 05",
		want: "03 000000 000012 14 00000000 02 0005 7061757365 00 0000000000000000 05",
	},
	{
		name: "command at an extended timestamp",
		in:   "08 ffffff 00000e 14 01000000 01000000 02 0001 61 00 3ff0000000000000 06",
		want: "03 000000 00000e 14 01000000 02 0001 61 00 3ff0000000000000 05",
	},
	{
		name: "AMF3 command, long string, typed object, invalid UTF-8, wrong fpad",
		in: "03 000000 000049 11 00000000 00 0c 00000007 636f6e6e656374 00 3ff0000000000000" +
			"10 0000 0003 617070 0c 00000003 61ff62 0004 66706164 00 3ff0000000000000" +
			"0005 746355726c 06 0001 78 0a 00000000 000009 05",
		want: "03 000000 00002a 14 00000000 02 0007 636f6e6e656374 00 3ff0000000000000" +
			"03 0003 617070 02 0003 613f62 0004 66706164 0101 000009",
	},
	{
		name: "ping, window, acknowledgement, buffer length, reply",
		in: "02 000000 000004 05 00000000 00000001  02 000000 000004 03 00000000 00000001" +
			"02 000000 00000a 04 00000000 00030000000100000064" +
			"03 000000 000013 14 00000000 02 0007 5f726573756c74 00 0000000000000000" +
			"02 000000 000006 04 00000000 000600001234",
		want: "02 000000 000006 04 00000000 000600001234",
	},
	{
		name: "publish of a type that is not a string",
		in: "03 000000 000018 14 01000000 02 0007 7075626c697368 00 3ff0000000000000" +
			"05 02 0000 05",
		want: "03 000000 000017 14 01000000 02 0007 7075626c697368 00 3ff0000000000000" +
			"05 02 0000",
	},
	{
		name: "play of a start that is not a number",
		in:   "03 000000 000015 14 01000000 02 0004 706c6179 00 3ff0000000000000 05 02 0000 05",
		want: "03 000000 000014 14 01000000 02 0004 706c6179 00 3ff0000000000000 05 02 0000",
	},
	{name: "audio", in: "04 000000 000001 08 01000000 aa", err: ErrEarly},
	{name: "video", in: "04 000000 800000 09 01000000", err: ErrEarly},
	{name: "data", in: "04 000000 000001 12 01000000", err: ErrEarly},
	{name: "AMF3 data", in: "04 000000 000001 0f 01000000", err: ErrEarly},
	{name: "aggregate", in: "04 000000 000001 16 01000000", err: ErrEarly},
	{
		name: "array of 2^31-1 values",
		in:   "03 000000 000012 14 00000000 02 0001 61 00 0000000000000000 0a 7fffffff",
		err:  ErrAMF,
	},
	{name: "command without a name", in: "03 000000 000001 14 00000000 05", err: ErrAMF},
	{name: "command of 16 MB", in: "03 000000 ffffff 14 00000000", err: ErrLimit},
}

func TestNegotiation(t *testing.T) {
	for _, c := range negotiationCases {
		t.Run(c.name, func(t *testing.T) {
			in := append(hello(), unhex(t, c.in)...)
			want := append(hello(), unhex(t, internal+c.want)...)
			for _, r := range []io.Reader{bytes.NewReader(in), &trickle{b: in}} {
				g := NewGuard(r, DefaultLimits())
				got, err := readAll(g, 7)
				if c.err == nil {
					c.err = io.EOF
				}
				if !errors.Is(err, c.err) {
					t.Fatalf("error %v, want %v", err, c.err)
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("%x\nwant %x", got[len(hello()):], want[len(hello()):])
				}
			}
		})
	}
}

// readAll reads in pieces of size bytes until an error that is not temporary.
func readAll(g *Guard, size int) (out []byte, err error) {
	p := make([]byte, size)
	for {
		n, err := g.Read(p)
		out = append(out, p[:n]...)
		if err != nil && !errors.Is(err, errWouldBlock) {
			return out, err
		}
	}
}

func TestNegotiationDeepObject(t *testing.T) {
	in := AppendMessage(hello(), 3, TypeCommand, 0, 0,
		[]byte("\x02\x00\x07connect"+strings.Repeat("\x03\x00\x01a", 16000)), 128)
	_, err := readAll(NewGuard(bytes.NewReader(in), DefaultLimits()), 512)
	if !errors.Is(err, ErrAMF) {
		t.Fatalf("%v, want ErrAMF", err)
	}
}

func TestVersion(t *testing.T) {
	for _, v := range []byte{0, 2, 4, 6, 'G'} {
		in := hello()
		in[0] = v
		out, err := readAll(NewGuard(bytes.NewReader(in), DefaultLimits()), 4096)
		if !errors.Is(err, ErrVersion) || len(out) != 0 {
			t.Errorf("version %d: %v after %d bytes, want ErrVersion", v, err, len(out))
		}
	}
	out, err := readAll(NewGuard(bytes.NewReader(hello()[:2000]), DefaultLimits()), 4096)
	if err != io.ErrUnexpectedEOF || len(out) != 2000 {
		t.Errorf("half a handshake: %v after %d bytes", err, len(out))
	}
}

// TestNegotiationBudget sends small commands without end.
func TestNegotiationBudget(t *testing.T) {
	in := hello()
	cmd := AppendCommand(nil, Command{Name: "createStream", Args: []Value{{}}})
	for len(in) < 256<<10 {
		in = AppendMessage(in, 3, TypeCommand, 0, 0, cmd, 128)
	}
	g := NewGuard(bytes.NewReader(in), DefaultLimits())
	if _, err := readAll(g, 4096); !errors.Is(err, ErrLimit) {
		t.Fatalf("%v, want ErrLimit", err)
	}
	if most := uint64(128<<10 + firstBuffer + 128); g.BytesRead() > most {
		t.Errorf("%d bytes read, at most %d", g.BytesRead(), most)
	}
}

// TestDetach reads a publish command as a library does, with a buffer that could hold much more,
// and expects the media that the peer sent with it from Next.
func TestDetach(t *testing.T) {
	cmd := AppendCommand(nil, Command{Name: "publish", Args: []Value{{}, Str("key"), Str("live")}})
	in := AppendMessage(hello(), 3, TypeCommand, 0, 1, cmd, 128)
	m := sent{typ: TypeVideo, ts: 7, streamID: 1, body: bytes.Repeat([]byte{7}, 5000)}
	in = AppendMessage(in, 6, m.typ, m.ts, m.streamID, m.body, 128)
	g := NewGuard(bytes.NewReader(in), DefaultLimits())
	if _, err := g.Next(); !errors.Is(err, ErrEarly) {
		t.Fatalf("Next before Detach: %v, want ErrEarly", err)
	}
	var got []byte
	p := make([]byte, 64<<10)
	want := append(unhex(t, internal), AppendMessage(nil, 3, TypeCommand, 0, 1, cmd, 4096)...)
	for len(got) < len(hello())+len(want) {
		n, err := g.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
	}
	if !bytes.Equal(got[len(hello()):], want) {
		t.Fatalf("%x, want %x", got[len(hello()):], want)
	}
	g.Detach()
	if n, err := g.Read(p); n != 0 || err != io.EOF {
		t.Fatalf("Read after Detach: %d, %v", n, err)
	}
	msgs, err := drain(g)
	if err != io.EOF {
		t.Fatal(err)
	}
	sameMessages(t, msgs, []Message{m.message()})
}
