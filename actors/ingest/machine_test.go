package ingest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
	"github.com/headwater-live/headwater/codec/timeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = media.Millisecond

// message makes a message as the guard gives it: in memory of its own, with its tail.
func message(typ uint8, ts uint32, body []byte) rtmp.Message {
	b, tail := flv.NewBody(len(body))
	copy(b, body)
	return rtmp.Message{Type: typ, Timestamp: ts, StreamID: 1, Body: b, Tail: tail}
}

// record is an AVC sequence header whose SPS ends in variant.
func record(t testing.TB, variant byte) []byte {
	t.Helper()
	c := avc.Config{
		Profile: 0x42, Level: 30, NALULengthSize: 4,
		SPS: [][]byte{{0x67, 0x42, 0, 30, variant}}, PPS: [][]byte{{0x68, 1}},
	}
	b, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{0x17, 0, 0, 0, 0}, b...)
}

func picture(key bool, cts int32) []byte {
	b := []byte{0x27, 1, byte(cts >> 16), byte(cts >> 8), byte(cts), 0, 0, 0, 2, 0x41, 9}
	if key {
		b[0], b[9] = 0x17, 0x65
	}
	return b
}

var (
	aacHeader = []byte{0xaf, 0, 0x11, 0x90}
	aacFrame  = []byte{0xaf, 1, 0x21, 0x10}
)

// want is what comes of a message: the zero want is nothing.
type want struct {
	seq  uint64
	role media.Role
	dts  int64 // ms
	cts  int64
	err  error
}

var errAny = errors.New("any")

// in is a message and what comes of it.
type in struct {
	typ  uint8
	ts   uint32
	body []byte
	want want
}

func broadcasts(t *testing.T) map[string][]in {
	v1, v2 := record(t, 1), record(t, 2)
	var meta flv.Metadata
	script, _ := meta.Number("width", 1280).Body()
	set := append([]byte("\x02\x00\x0d@setDataFrame"), script...)
	const header, key, frame = media.SequenceHeader, media.Keyframe, media.Frame
	video, audio, data := rtmp.TypeVideo, rtmp.TypeAudio, rtmp.TypeData
	return map[string][]in{
		"a broadcast begins": {
			{data, 0, set, want{1, header, 0, 0, nil}},
			{video, 0, v1, want{2, header, 0, 0, nil}},
			{audio, 0, aacHeader, want{3, header, 0, 0, nil}},
			{video, 1000, picture(true, 80), want{4, key, 250, 80, nil}},
			{audio, 1005, aacFrame, want{5, key, 255, 0, nil}},
			{video, 1040, picture(false, -1), want{6, frame, 290, -1, nil}},
		},
		"headers are repeated": {
			{video, 0, v1, want{1, header, 0, 0, nil}},
			{video, 5, v1, want{}},
			{audio, 5, aacHeader, want{2, header, 0, 0, nil}},
			{audio, 9, aacHeader, want{}},
			{data, 5, script, want{3, header, 0, 0, nil}},
			{data, 5, set, want{}},
			{video, 9, v2, want{4, header, 0, 0, nil}},
			{video, 9, v2, want{}},
			{video, 9, v1, want{5, header, 0, 0, nil}},
		},
		"nothing to pass on": {
			{video, 0, nil, want{}},
			{audio, 0, nil, want{}},
			{data, 0, nil, want{}},
			{video, 0, []byte{0x17, 0, 0, 0, 0}, want{}}, // a header yet to come
			{video, 0, []byte{0x17, 2, 0, 0, 0}, want{}}, // end of sequence
			{video, 0, []byte{0x57, 0}, want{}},          // a hint for seeking
			{audio, 0, []byte{0xaf, 0}, want{}},
			{video, 0, v1, want{1, header, 0, 0, nil}},
		},
		"malformed": {
			{video, 0, []byte{0x17, 1}, want{err: flv.ErrTruncated}},
			{audio, 0, []byte{0xcf, 1}, want{err: flv.ErrInvalid}},
			{video, 0, v1[:9], want{err: avc.ErrInvalid}},
			{audio, 0, []byte{0xaf, 0, 0xff}, want{err: errAny}},
			{data, 0, []byte("\x02\x00\x0d@setDataFrame"), want{err: flv.ErrTruncated}},
			{7, 0, []byte{1}, want{err: errAny}},
			{video, 0, v1, want{1, header, 0, 0, nil}},
		},
		"timestamps jump": {
			{video, 0, v1, want{1, header, 0, 0, nil}},
			{video, 5000, picture(true, 0), want{2, key, 250, 0, nil}},
			{video, 5000, picture(false, 10), want{3, frame, 251, 9, nil}}, // DTS rises, PTS stays
			{video, 4990, picture(false, 40), want{4, frame, 252, 28, nil}},
			{video, 5040, picture(false, 0), want{5, frame, 290, 0, nil}},
		},
		"enhanced, carried through": {
			{video, 0, []byte("\x90hvc1conf"), want{1, header, 0, 0, nil}},
			{video, 7, []byte("\x91hvc1\x00\x00\x05data"), want{2, key, 7, 5, nil}},
			{video, 8, []byte("\xa3hvc1data"), want{3, frame, 8, 0, nil}},
			{audio, 8, []byte("\x90OpusOpusHead"), want{4, header, 0, 0, nil}},
			{audio, 8, []byte("\x94Opus\x01\x02\x00\x00\x00\x03"), want{5, frame, 0, 0, nil}},
			{video, 9, []byte("\x92hvc1"), want{}},
		},
	}
}

func TestMachine(t *testing.T) {
	for name, steps := range broadcasts(t) {
		t.Run(name, func(t *testing.T) {
			m := NewMachine(3, timeline.Start{})
			for i, s := range steps {
				msg := message(s.typ, s.ts, s.body)
				u, err := m.Message(&msg, media.Time(i)*ms)
				if (err != nil) != (s.want.err != nil) ||
					s.want.err != errAny && !errors.Is(err, s.want.err) {
					t.Fatalf("message %d: %v, want %v", i, err, s.want.err)
				}
				if u == nil {
					if s.want.seq != 0 {
						t.Fatalf("message %d is not passed on", i)
					}
					continue
				}
				got := want{u.Seq, u.Role, u.DTS.Millis(), u.CTS.Millis(), nil}
				if got != s.want {
					t.Fatalf("message %d becomes %+v, want %+v", i, got, s.want)
				}
				wellFormed(t, u, &msg)
			}
		})
	}
}

// wellFormed checks what every unit is.
func wellFormed(t *testing.T, u *topic.Unit, msg *rtmp.Message) {
	t.Helper()
	n := len(u.Body)
	if len(u.Tail) != n+4 || &u.Tail[0] != &u.Body[0] ||
		binary.BigEndian.Uint32(u.Tail[n:]) != uint32(n+flv.TagHeaderSize) {
		t.Fatalf("body of %d bytes, tail of %d", n, len(u.Tail))
	}
	if n == len(msg.Body) && &u.Body[0] != &msg.Body[0] {
		t.Fatal("the payload is copied")
	}
	if bytes.HasPrefix(u.Body, []byte("\x02\x00\x0d@setDataFrame")) {
		t.Fatal("@setDataFrame is passed on")
	}
	if u.Role == media.SequenceHeader && u.Header != nil {
		t.Fatal("a header has a header")
	}
	info, err := flv.Parse(u.Kind, u.Body)
	if err != nil || info.CTS.Millis() != u.CTS.Millis() {
		t.Fatalf("the body says %v, %v; the unit %v", info.CTS, err, u.CTS)
	}
}

// Each unit knows the header that it was made under.
func TestUnitsBringTheirHeader(t *testing.T) {
	m := NewMachine(1, timeline.Start{})
	push := func(typ uint8, body []byte) *topic.Unit {
		msg := message(typ, 0, body)
		u, err := m.Message(&msg, 0)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	if u := push(rtmp.TypeVideo, picture(true, 0)); u.Header != nil {
		t.Error("a header comes from nowhere")
	}
	v1 := push(rtmp.TypeVideo, record(t, 1))
	a1 := push(rtmp.TypeAudio, aacHeader)
	if push(rtmp.TypeVideo, picture(true, 0)).Header != v1 ||
		push(rtmp.TypeAudio, aacFrame).Header != a1 {
		t.Error("a unit does not bring its track's header")
	}
	v2 := push(rtmp.TypeVideo, record(t, 2))
	if push(rtmp.TypeVideo, picture(true, 0)).Header != v2 {
		t.Error("a unit brings a former header")
	}
}

func TestTimelineGoesOn(t *testing.T) {
	m := NewMachine(2, timeline.Start{DTS: 5000 * ms, Has: true})
	for i, body := range [][]byte{record(t, 1), picture(true, 0), picture(false, 0)} {
		msg := message(rtmp.TypeVideo, uint32(40*i), body)
		if u, err := m.Message(&msg, 0); err != nil || u.DTS <= 5000*ms || u.Epoch != 2 {
			t.Fatalf("%v: %v of epoch %d, the former one ended at 5 s", err, u.DTS, u.Epoch)
		}
	}
}

func TestGarbage(t *testing.T) {
	m := NewMachine(1, timeline.Start{})
	for i := range MaxMalformed + 2 {
		msg := message(rtmp.TypeVideo, 0, []byte{0x17, 9, 9})
		_, err := m.Message(&msg, 0)
		if err == nil || errors.Is(err, ErrGarbage) != (i >= MaxMalformed) {
			t.Fatalf("message %d: %v", i+1, err)
		}
		if !errors.Is(err, flv.ErrTruncated) {
			t.Fatalf("message %d: %v does not say what is wrong", i+1, err)
		}
	}
}

// Whatever a publisher sends, nothing panics, and what comes out is well formed and in order.
func FuzzMachine(f *testing.F) {
	script := func(bodies ...[]byte) []byte {
		var out []byte
		for i, b := range bodies {
			out = append(out, []byte{9, 8, 18, 9}[i%4], byte(i), byte(len(b)))
			out = append(out, b...)
		}
		return out
	}
	f.Add(script(record(f, 1), aacHeader, []byte("\x02\x00\x0d@setDataFrame\x02\x00\x0aonMetaData"),
		picture(true, 80), picture(false, -5), aacFrame))
	f.Add(script([]byte("\x90hvc1conf"), []byte("\x90OpusOpusHead"), []byte{5},
		[]byte("\x97\x02\x07\xa1\x20\x01hvc1\x00\x00\x01d")))
	f.Add(script([]byte{0x17, 2, 0, 0, 0}, []byte{0xaf}, nil, []byte{0x57, 0}))
	f.Fuzz(func(t *testing.T, script []byte) {
		m := NewMachine(1, timeline.Start{})
		seq, last := uint64(0), [media.Kinds]media.Time{}
		var now media.Time
		for len(script) >= 3 {
			size := min(int(script[2]), len(script)-3)
			ts := uint32(script[1]) * uint32(script[1]) << (script[0] >> 5 * 2)
			msg := message(script[0]&31, ts, script[3:3+size])
			script = script[3+size:]
			now += 10 * ms
			u, err := m.Message(&msg, now)
			if errors.Is(err, ErrGarbage) {
				return
			}
			if u == nil || err != nil {
				continue
			}
			wellFormed(t, u, &msg)
			if seq++; u.Seq != seq || u.Epoch != 1 {
				t.Fatalf("unit %d has number %d", seq, u.Seq)
			}
			if u.DTS < last[u.Kind] {
				t.Fatalf("%v falls from %v to %v", u.Kind, last[u.Kind], u.DTS)
			}
			last[u.Kind] = u.DTS
		}
	})
}
