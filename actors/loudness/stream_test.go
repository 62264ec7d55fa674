package loudness

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

var errDamaged = errors.New("damaged")

// script is a decoder that does what a unit's one letter says: t is a tone of -20 dBFS at 1 kHz, s
// silence, x clips, n is not a number, e an error, p a panic, 0 nothing and 2 two frames of tone.
type script struct {
	rate, at int
	opened   *int // how many there are
	closed   bool
}

// openScript opens a script by a configuration that begins with c, its rate in kHz behind it.
func openScript(opened *int) func([]byte) (decoder, error) {
	return func(config []byte) (decoder, error) {
		if len(config) < 2 || config[0] != 'c' {
			return nil, errDamaged
		}
		*opened++
		return &script{rate: int(config[1]) * 1000, opened: opened}, nil
	}
}

func (s *script) Decode(unit []byte, emit func(av.Samples) error) error {
	if s.closed || len(unit) != 1 {
		return errDamaged
	}
	p := make([]float32, frameLength)
	frames := 1
	switch unit[0] {
	case 't':
		p = sine(s.rate, s.at, frameLength, 1000, -20)
	case '2':
		frames = 2
		p = sine(s.rate, s.at, frameLength, 1000, -20)
	case 'x':
		p = sine(s.rate, s.at, frameLength, 1000, 6)
	case 'n':
		p[5] = float32(math.NaN())
	case '0':
		frames = 0
	case 'p':
		panic("the script says so")
	case 's':
	default:
		return errDamaged
	}
	for range frames {
		s.at += frameLength
		out := av.Samples{Rate: s.rate, Channels: 2, Length: len(p), Planes: [2][]float32{p, p}}
		if err := emit(out); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) Close() {
	if !s.closed {
		*s.opened--
	}
	s.closed = true
}

// stream makes the audio units of a broadcast.
type stream struct {
	t      testing.TB
	seq    uint64
	dts    media.Time
	header *topic.Unit
}

// interval is between two frames of 1024 samples at 48 kHz.
const interval = frameLength * media.Second / 48000

func (s *stream) unit(body string) *topic.Unit {
	s.t.Helper()
	b, tail := flv.NewBody(len(body))
	copy(b, body)
	au, err := flv.Unit(media.Audio, s.dts, b, tail)
	if err != nil {
		s.t.Fatal(err)
	}
	s.seq++
	u := topic.NewUnit(1, s.seq, au)
	if u.Role == media.SequenceHeader {
		s.header = u
	} else {
		u.Header = s.header
		s.dts += interval
	}
	return u
}

// setup makes a sequence header.
func (s *stream) setup(record string) *topic.Unit { return s.unit("\xaf\x00" + record) }

// frame makes a frame of AAC.
func (s *stream) frame(letter byte) *topic.Unit { return s.unit("\xaf\x01" + string(letter)) }

// fields reads an event: its name, and what it carries by name, booleans as 0 and 1.
func fields(t testing.TB, e *Event) map[string]float64 {
	t.Helper()
	const head = "\x02\x00\x0aonLoudness\x08\x00\x00\x00\x07"
	b := e.Unit.Body
	if string(b[:len(head)]) != head || string(b[len(b)-3:]) != "\x00\x00\x09" {
		t.Fatalf("an event of % x", b)
	}
	got := map[string]float64{}
	for b = b[len(head) : len(b)-3]; len(b) > 0; {
		n := int(binary.BigEndian.Uint16(b))
		key, value := string(b[2:2+n]), b[2+n:]
		switch value[0] {
		case 0:
			got[key] = math.Float64frombits(binary.BigEndian.Uint64(value[1:]))
			b = value[9:]
		case 1:
			got[key] = float64(value[1])
			b = value[2:]
		default:
			t.Fatalf("a value of kind %d", value[0])
		}
	}
	if _, err := rtmp.ParseCommand(e.Unit.Body); err != nil {
		t.Fatal(err)
	}
	return got
}
