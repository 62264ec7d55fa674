package rtmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
)

// guardCases are chunk streams after Detach: what a guard makes of each, byte by byte.
var guardCases = []struct {
	name    string
	in      string
	want    []sent
	err     error
	dropped uint64
}{
	{
		name: "one chunk",
		in:   "06 000005 000002 09 01000000 1701",
		want: []sent{{typ: 9, ts: 5, streamID: 1, body: []byte{0x17, 1}}},
	},
	{
		name: "format 1, 2 and 3 add their delta",
		in: "04 000064 000001 08 01000000 aa  44 000014 000001 08 bb  84 00000a cc  c4 dd" +
			"84 000000 ee",
		want: []sent{
			{typ: 8, ts: 100, streamID: 1, body: []byte{0xaa}},
			{typ: 8, ts: 120, streamID: 1, body: []byte{0xbb}},
			{typ: 8, ts: 130, streamID: 1, body: []byte{0xcc}},
			{typ: 8, ts: 140, streamID: 1, body: []byte{0xdd}},
			{typ: 8, ts: 140, streamID: 1, body: []byte{0xee}},
		},
	},
	{
		name: "format 3 after format 0 repeats the timestamp as delta",
		in:   "04 000017 000001 08 01000000 aa  c4 bb",
		want: []sent{
			{typ: 8, ts: 23, streamID: 1, body: []byte{0xaa}},
			{typ: 8, ts: 46, streamID: 1, body: []byte{0xbb}},
		},
	},
	{
		name: "but not a timestamp of ten seconds",
		in:   "04 002710 000001 08 01000000 aa  c4 bb",
		want: []sent{
			{typ: 8, ts: 10000, streamID: 1, body: []byte{0xaa}},
			{typ: 8, ts: 10000, streamID: 1, body: []byte{0xbb}},
		},
	},
	{
		name: "first chunk of format 1",
		in:   "44 000014 000001 08 aa",
		want: []sent{{typ: 8, ts: 20, body: []byte{0xaa}}},
	},
	{name: "first chunk of format 2", in: "84 000014 aa", err: ErrChunk},
	{name: "first chunk of format 3", in: "c4 aa", err: ErrChunk},
	{
		name: "extended timestamp repeated in format 3",
		in: "02 000000 000004 01 00000000 00000002" +
			"06 ffffff 000004 09 01000000 01005940 aabb  c6 01005940 ccdd",
		want: []sent{{typ: 9, ts: 0x01005940, streamID: 1, body: []byte{0xaa, 0xbb, 0xcc, 0xdd}}},
	},
	{
		name: "extended timestamp left out of format 3",
		in: "02 000000 000004 01 00000000 00000002" +
			"06 ffffff 000004 09 01000000 01005940 aabb  c6 0100",
		want: []sent{{typ: 9, ts: 0x01005940, streamID: 1, body: []byte{0xaa, 0xbb, 1, 0}}},
	},
	{
		name: "extended delta",
		in:   "06 000001 000001 09 01000000 aa  86 ffffff 01000000 bb",
		want: []sent{
			{typ: 9, ts: 1, streamID: 1, body: []byte{0xaa}},
			{typ: 9, ts: 0x01000001, streamID: 1, body: []byte{0xbb}},
		},
	},
	{
		name: "format 0 begins again within a message",
		in: "02 000000 000004 01 00000000 00000002" +
			"06 000005 000004 09 01000000 aabb  06 000006 000001 09 01000000 cc",
		want:    []sent{{typ: 9, ts: 6, streamID: 1, body: []byte{0xcc}}},
		dropped: 1,
	},
	{
		name: "abort",
		in: "02 000000 000004 01 00000000 00000002" +
			"06 000005 000003 09 01000000 aabb  02 000000 000004 02 00000000 0000  c2 0006" +
			"c6 ccdd  c6 ee",
		want:    []sent{{typ: 9, ts: 10, streamID: 1, body: []byte{0xcc, 0xdd, 0xee}}},
		dropped: 1,
	},
	{name: "abort of nothing", in: "02 000000 000004 02 00000000 00000009"},
	{
		name:    "message of no length",
		in:      "04 000000 000000 08 01000000  c4  04 000007 000001 08 01000000 aa",
		want:    []sent{{typ: 8, ts: 7, streamID: 1, body: []byte{0xaa}}},
		dropped: 2,
	},
	{
		name: "types unknown, shared objects",
		in: "03 000000 000001 63 00000000 aa  03 000000 000001 13 00000000 aa" +
			"03 000000 000001 10 00000000 aa",
		dropped: 3,
	},
	{name: "acknowledgement, peer bandwidth", in: "02 000000 000004 03 00000000 00000009" +
		"02 000000 000005 06 00000000 0000000902"},
	{
		name: "ping request, other events",
		in: "02 000000 000006 04 00000000 000600001234  02 000000 00000a 04 00000000" +
			"00030000000100000064  02 000000 000002 04 00000000 001f",
		want: []sent{{typ: 4, body: []byte{0, 6, 0, 0, 0x12, 0x34}}},
	},
	{name: "chunk size 0", in: "02 000000 000004 01 00000000 00000000", err: ErrChunk},
	{name: "chunk size of 31 bits", in: "02 000000 000004 01 00000000 80000000", err: ErrChunk},
	{name: "chunk size too short", in: "02 000000 000003 01 00000000 000001", err: ErrChunk},
	{
		name: "data without its wrapping",
		in: "05 000000 000017 12 01000000 02000d40736574446174614672616d65 02000161" +
			"05 05 05",
		want: []sent{{typ: 18, streamID: 1, body: []byte{2, 0, 1, 'a', 5, 5, 5}}},
	},
	{
		name: "AMF3 data and command",
		in: "05 000000 000005 0f 01000000 00 02000161  03 000000 000005 11 00000000" +
			"00 02000161",
		want: []sent{
			{typ: 18, streamID: 1, body: []byte{2, 0, 1, 'a'}},
			{typ: 20, body: []byte{2, 0, 1, 'a'}},
		},
	},
	{
		name:    "data and command that are not AMF0",
		in:      "05 000000 000002 12 01000000 0201  03 000000 000002 14 00000000 0a7f",
		dropped: 2,
	},
	{name: "command without a name", in: "03 000000 000001 14 00000000 05", dropped: 1},
	{
		name: "aggregate",
		in: "06 0003e8 000031 16 01000000" +
			"08 000001 000064 00 000000 aa 0000000c" +
			"09 000002 00006e 00 000000 bbcc 0000000d" +
			"13 000001 00006e 00 000000 dd 0000000c",
		want: []sent{
			{typ: 8, ts: 1000, streamID: 1, body: []byte{0xaa}},
			{typ: 9, ts: 1010, streamID: 1, body: []byte{0xbb, 0xcc}},
		},
		dropped: 1,
	},
	{
		name: "aggregate without the last back pointer",
		in:   "06 0003e8 00000c 16 01000000 08 000001 ffffff ff 000000 aa",
		want: []sent{{typ: 8, ts: 1000, streamID: 1, body: []byte{0xaa}}},
	},
	{
		name:    "aggregate that lies about a length",
		in:      "06 0003e8 00000c 16 01000000 08 000002 000064 00 000000 aa",
		dropped: 1,
	},
	{name: "media too long", in: "06 000000 800001 09 01000000", err: ErrLimit},
	{name: "command too long", in: "03 000000 010001 14 00000000", err: ErrLimit},
	{name: "data too long", in: "03 000000 010001 12 00000000", err: ErrLimit},
	{name: "end within a header", in: "06 000000 8000", err: io.ErrUnexpectedEOF},
	{name: "end within a payload", in: "06 000000 000002 09 01000000 aa", err: io.ErrUnexpectedEOF},
}

func TestGuard(t *testing.T) {
	for _, c := range guardCases {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.in)
			for _, r := range []io.Reader{bytes.NewReader(b), &trickle{b: b}} {
				g := newReader(r, DefaultLimits())
				got, err := drain(g)
				want := c.err
				if want == nil {
					want = io.EOF
				}
				if !errors.Is(err, want) {
					t.Fatalf("error %v, want %v", err, want)
				}
				var msgs []Message
				for _, s := range c.want {
					msgs = append(msgs, s.message())
				}
				sameMessages(t, got, msgs)
				if g.Dropped() != c.dropped {
					t.Errorf("%d dropped, want %d", g.Dropped(), c.dropped)
				}
				if _, again := g.Next(); isFinal(err) && again != err {
					t.Errorf("then %v, want %v again", again, err)
				}
			}
		})
	}
}

// isFinal tells whether an error is the guard's own.
func isFinal(err error) bool {
	return errors.Is(err, ErrLimit) || errors.Is(err, ErrChunk) || errors.Is(err, ErrAMF) ||
		errors.Is(err, ErrEarly) || errors.Is(err, ErrVersion)
}

func TestGuardChunkStreamLimit(t *testing.T) {
	var b []byte
	for csid := range uint8(33) {
		b = AppendMessage(b, 3+csid, TypeAudio, 0, 1, []byte{1}, 128)
	}
	got, err := drain(newReader(bytes.NewReader(b), DefaultLimits()))
	if len(got) != 32 || !errors.Is(err, ErrLimit) {
		t.Fatalf("%d messages and %v, want 32 and ErrLimit", len(got), err)
	}
}

// TestGuardHoldsWhatArrives announces messages of 8 MiB on every chunk stream and sends one chunk
// of each.
func TestGuardHoldsWhatArrives(t *testing.T) {
	var b []byte
	for csid := range uint8(32) {
		var h [MaxHeader]byte
		b = append(b, h[:PutHeader(&h, 3+csid, TypeVideo, 0, 1, 8<<20)]...)
		b = append(b, make([]byte, 128)...)
	}
	g := newReader(bytes.NewReader(b), DefaultLimits())
	if _, err := drain(g); err != io.EOF {
		t.Fatal(err)
	}
	if most := aheadBytes + 32*growStep; g.Held() > most {
		t.Fatalf("%d bytes held after %d received, at most %d", g.Held(), len(b), most)
	}
}

func TestGuardHeldLimit(t *testing.T) {
	l := DefaultLimits()
	l.MaxHeld = 1 << 20
	b := AppendSetChunkSize(nil, MaxChunkSize)
	b = AppendMessage(b, 6, TypeVideo, 0, 1, make([]byte, 1<<20), MaxChunkSize)
	_, err := drain(newReader(bytes.NewReader(b), l))
	if !errors.Is(err, ErrLimit) {
		t.Fatalf("%v, want ErrLimit", err)
	}
}

func TestGuardLargeMessage(t *testing.T) {
	m := sent{typ: TypeVideo, ts: 1, streamID: 1}
	m.body = bytes.Repeat([]byte("0123456789abcdef"), 1<<19)
	for _, chunk := range []int{128, 4096, MaxChunkSize} {
		b := AppendSetChunkSize(nil, uint32(chunk))
		b = AppendMessage(b, 6, m.typ, m.ts, m.streamID, m.body, chunk)
		got, err := drain(newReader(bytes.NewReader(b), DefaultLimits()))
		if err != io.EOF {
			t.Fatal(err)
		}
		sameMessages(t, got, []Message{m.message()})
	}
}

// TestGuardBodiesAreKept makes sure that what was returned is never written again.
func TestGuardBodiesAreKept(t *testing.T) {
	var b []byte
	for i := range byte(10) {
		b = AppendMessage(b, 4, TypeAudio, 0, 1, bytes.Repeat([]byte{i}, 300), 128)
		b = AppendMessage(b, 3, TypeCommand, 0, 1, AppendString(nil, "name"), 128)
	}
	got, _ := drain(newReader(bytes.NewReader(b), DefaultLimits()))
	for i := range byte(10) {
		if !bytes.Equal(got[2*i].Body, bytes.Repeat([]byte{i}, 300)) {
			t.Errorf("audio %d changed", i)
		}
	}
}

func TestAckDue(t *testing.T) {
	b := appendControl(nil, TypeWindowAckSize, 100_000)
	for range 100 {
		b = AppendMessage(b, 4, TypeAudio, 0, 1, make([]byte, 1988), 60000)
	}
	b = append(AppendSetChunkSize(nil, 60000), b...)
	g := newReader(bytes.NewReader(b), DefaultLimits())
	var last, acks uint32
	for {
		if _, err := g.Next(); err != nil {
			break
		}
		if n, due := g.AckDue(); due {
			if n-last < 50_000 || n-last > 50_000+mediaBuffer {
				t.Errorf("acknowledged %d bytes after %d", n, last)
			}
			last = n
			acks++
		}
	}
	if acks < 2 {
		t.Errorf("%d acknowledgements of %d bytes", acks, len(b))
	}
	g = newReader(bytes.NewReader(appendControl(nil, TypeWindowAckSize, 1)), DefaultLimits())
	if _, err := g.Next(); err != io.EOF {
		t.Fatal(err)
	}
	if _, due := g.AckDue(); due {
		t.Error("a window of one byte was taken at its word")
	}
}

// TestCompact measures what idle viewers hold, and that nothing unread is lost.
func TestCompact(t *testing.T) {
	cmd := AppendCommand(nil, Command{Name: "pause", Args: []Value{{}, Bool(true)}})
	b := AppendMessage(nil, 3, TypeCommand, 0, 1, cmd, 128)
	b = AppendMessage(b, 8, TypeCommand, 0, 1, cmd, 128)
	const viewers = 2000
	guards := make([]*Guard, viewers)
	readers := make([]*bytes.Reader, viewers)
	for i := range readers {
		readers[i] = bytes.NewReader(append(b, b...))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range guards {
		g := NewGuard(readers[i], DefaultLimits())
		g.Detach()
		for range 2 {
			if m, err := g.Next(); err != nil || !bytes.Equal(m.Body, cmd) {
				t.Fatal(m, err)
			}
		}
		g.SetLimits(ViewerLimits())
		g.Compact()
		for range 2 {
			if m, err := g.Next(); err != nil || !bytes.Equal(m.Body, cmd) {
				t.Fatal(m, err)
			}
		}
		if _, err := g.Next(); err != io.EOF {
			t.Fatal(err)
		}
		guards[i] = g
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / viewers
	if each >= 1024 {
		t.Errorf("%d bytes for an idle viewer, want less than 1024", each)
	}
	t.Logf("%d bytes for an idle viewer", each)
	runtime.KeepAlive(guards)
}

func TestViewerLimitsRefuseMedia(t *testing.T) {
	b := AppendMessage(nil, 4, TypeAudio, 0, 1, []byte{1}, 128)
	_, err := drain(newReader(bytes.NewReader(b), ViewerLimits()))
	if !errors.Is(err, ErrLimit) {
		t.Fatalf("%v, want ErrLimit", err)
	}
}

func TestSourcesThatMisbehave(t *testing.T) {
	empty := readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, err := newReader(empty, DefaultLimits()).Next(); err != io.ErrNoProgress {
		t.Errorf("%v, want ErrNoProgress", err)
	}
	liar := readerFunc(func(p []byte) (int, error) { return len(p) + 1, nil })
	if _, err := newReader(liar, DefaultLimits()).Next(); err == nil {
		t.Error("a reader that returns more than it was given room for was believed")
	}
	// Bytes together with an error: the bytes come first, the error once, then what follows.
	b := AppendMessage(nil, 4, TypeAudio, 0, 1, []byte{1}, 128)
	calls := 0
	both := readerFunc(func(p []byte) (int, error) {
		if calls++; calls > 2 {
			return 0, io.EOF
		}
		return copy(p, b), errWouldBlock
	})
	g := newReader(both, DefaultLimits())
	for _, want := range []error{nil, errWouldBlock, nil, errWouldBlock, io.EOF} {
		if _, err := g.Next(); err != want {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestGuardAllocations holds the guard to one allocation a message.
func TestGuardAllocations(t *testing.T) {
	for _, chunk := range []int{128, 4096, 60000} {
		loop := newLoop(chunk)
		g := newReader(loop, DefaultLimits())
		n := testing.AllocsPerRun(1000, func() {
			if m, err := g.Next(); err != nil || binary.BigEndian.Uint32(m.Tail[len(m.Body):]) == 0 {
				t.Fatal(err)
			}
		})
		if n > 1 {
			t.Errorf("chunk size %d: %v allocations a message, want 1", chunk, n)
		}
	}
}
