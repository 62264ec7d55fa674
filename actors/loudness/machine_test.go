package loudness

import (
	"errors"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// bench is a machine and the stream that it is fed.
type bench struct {
	*stream
	*Machine
	opened int
	events []*Event
}

func newBench(t testing.TB) *bench {
	b := &bench{stream: &stream{t: t}}
	b.Machine = newMachine(DefaultThresholds(), openScript(&b.opened))
	t.Cleanup(func() {
		if b.Close(); b.opened != 0 {
			t.Errorf("%d decoders are open in the end", b.opened)
		}
	})
	return b
}

// play feeds frames by their letters and expects no error.
func (b *bench) play(letters string) {
	b.t.Helper()
	for i := range len(letters) {
		if _, err := b.Unit(b.frame(letters[i])); err != nil {
			b.t.Fatalf("%c: %v", letters[i], err)
		}
		if e := b.Event(); e != nil {
			b.events = append(b.events, e)
		}
	}
}

func (b *bench) begin(record string) {
	b.t.Helper()
	if _, err := b.Unit(b.setup(record)); err != nil {
		b.t.Fatal(err)
	}
}

func TestMachineMeasures(t *testing.T) {
	b := newBench(t)
	b.stream.dts = 7 * media.Second
	b.begin("c\x30")
	b.play(strings.Repeat("t", 469)) // 10 s
	var r Report
	b.report(&r)
	near(t, "integrated", r.Integrated, -20, 0.05)
	near(t, "peak", r.Frame.Peak, -20, 0.05)
	if r.Unavailable != "" || r.Since != 7*media.Second || r.At != b.stream.dts-interval ||
		r.Frames != 469 || r.Errors != 0 || r.SampleRate != 48000 || r.Channels != 2 {
		t.Errorf("%+v", r)
	}
	if n := len(b.events); n < 48 || n > 49 {
		t.Fatalf("%d events in 10 s", n)
	}
	last := b.events[len(b.events)-1]
	got := fields(t, last)
	for key, want := range map[string]float64{
		"momentary": -20, "shortTerm": -20, "integrated": -20, "peak": -20, "rms": -23.01,
		"silent": 0, "clipped": 0,
	} {
		near(t, key, got[key], want, 0.05)
	}
	if len(got) != 7 || last.Unit.Kind != media.Data || last.Unit.Role != media.Frame ||
		last.Unit.DTS < r.At-eventsEvery {
		t.Errorf("%v in %+v", got, last.Unit)
	}
	if _, err := flv.Unit(media.Data, 0, last.Unit.Body, last.Unit.Tail); err != nil {
		t.Error(err)
	}
}

// Events come every 200 ms of media, at a frame's time, also after a gap.
func TestMachineEvents(t *testing.T) {
	b := newBench(t)
	b.begin("c\x30")
	for i := range 500 {
		if i == 250 {
			b.stream.dts += 5 * media.Second
		}
		b.play(string("st"[i%2]))
	}
	for i := 1; i < len(b.events); i++ {
		gap := b.events[i].Unit.DTS - b.events[i-1].Unit.DTS
		if gap > eventsEvery+interval && gap < 5*media.Second || gap < eventsEvery-interval {
			t.Errorf("event %d comes after %d ms", i, gap.Millis())
		}
	}
	if n := len(b.events); n < 50 || n > 54 {
		t.Errorf("%d events", n)
	}
	if fields(t, b.events[5])["peak"] < -21 {
		t.Error("a peak between two events is not seen")
	}
}

func TestMachineSilenceAndClipping(t *testing.T) {
	b := newBench(t)
	b.begin("c\x30")
	b.play("x" + strings.Repeat("s", 200))
	got := fields(t, b.events[len(b.events)-1])
	if got["silent"] != 1 || got["clipped"] != 0 || got["rms"] != Floor || got["peak"] != Floor ||
		got["momentary"] != Floor {
		t.Errorf("silence: %v", got)
	}
	b.play(strings.Repeat("x", 20))
	got = fields(t, b.events[len(b.events)-1])
	if got["silent"] != 0 || got["clipped"] != 1 {
		t.Errorf("clipping: %v", got)
	}
	near(t, "peak", got["peak"], 6, 0.01)
}

// A bad frame is an error of its own; those around it are measured.
func TestMachineCarriesOn(t *testing.T) {
	b := newBench(t)
	b.begin("c\x30")
	b.play(strings.Repeat("t", 50))
	for _, letter := range "ene\x00" {
		if _, err := b.Unit(b.frame(byte(letter))); err == nil || errors.Is(err, errUnmeasured) {
			t.Errorf("%c: %v", letter, err)
		}
		b.play("t02")
	}
	empty := b.unit("\xaf\x01")
	if _, err := b.Unit(empty); err == nil {
		t.Error("an empty frame is decoded")
	}
	b.play(strings.Repeat("t", 50))
	var r Report
	b.report(&r)
	near(t, "integrated", r.Integrated, -20, 0.3)
	if r.Errors != 5 || r.Frames != 112 || r.Unavailable != "" || b.opened != 1 {
		t.Errorf("%d decoders, %+v", b.opened, r)
	}
}

// Audio that fails for long is reported as not measured, and as measured again once it is.
func TestMachineGivesUpAndComesBack(t *testing.T) {
	b := newBench(t)
	b.begin("c\x30")
	b.play("t")
	for i := range errorsInARow {
		if b.unavailable != "" {
			t.Fatalf("after %d errors: %s", i, b.unavailable)
		}
		if _, err := b.Unit(b.frame('e')); !errors.Is(err, errDamaged) {
			t.Fatal(err)
		}
	}
	if b.unavailable != noDecoder+"damaged" {
		t.Errorf("unavailable: %q", b.unavailable)
	}
	b.play("t")
	if b.unavailable != "" || b.row != 0 {
		t.Errorf("unavailable: %q", b.unavailable)
	}
}

// What cannot be measured says why, until something about it changes.
func TestMachineUnavailable(t *testing.T) {
	b := newBench(t)
	if b.unavailable != noAudio {
		t.Error(b.unavailable)
	}
	for _, step := range []struct{ body, why string }{
		{"\xaf\x01t", noHeader},
		{"\xaf\x00c\x30", noHeader}, // the next frame will tell
		{"\xaf\x01t", ""},
		{"\x90Opusheader", ""},
		{"\x91Opusframe", notDecoded + "Opus"},
		{"\x2f\x00mp3", notDecoded + ".mp3"},
		{"\x95\x11mp4a\x00\x00\x00\x01t", manyTracks},
		{"\xaf\x00bad", manyTracks},
		{"\xaf\x01t", noDecoder + "damaged"},
		{"\xaf\x01t", noDecoder + "damaged"},
		{"\xaf\x00c\x2c", noDecoder + "damaged"},
		{"\xaf\x01t", ""},
		{"\x92mp4a", ""}, // the end of a sequence
	} {
		u := b.unit(step.body)
		u.Header = nil // the machine has seen it
		frames := b.frames
		_, err := b.Unit(u)
		if b.unavailable != step.why {
			t.Errorf("%q: unavailable %q, want %q", step.body, b.unavailable, step.why)
		}
		if refused := errors.Is(err, errUnmeasured); err != nil != refused {
			t.Errorf("%q: %v", step.body, err)
		}
		if measured := b.frames > frames; measured && (err != nil || step.why != "") {
			t.Errorf("%q is measured", step.body)
		}
	}
	if got := b.meter.Reading(); got.SampleRate != 44000 {
		t.Errorf("%+v", got)
	}
}

// A unit brings its header along: the one that was lost is not needed. A repeated one opens no
// decoder.
func TestMachineHeaders(t *testing.T) {
	b := newBench(t)
	first := b.setup("c\x30")
	b.play("tt")
	decoder := b.decoder
	again := b.setup("c\x30")
	b.play("tt")
	if b.decoder != decoder || b.config != again || first == again {
		t.Error("a repeated header opens a decoder")
	}
	b.setup("c\x20") // lost
	b.play("tt")
	if b.decoder == decoder || b.opened != 1 || b.meter.Reading().SampleRate != 32000 {
		t.Errorf("%d decoders, %+v", b.opened, b.meter.Reading())
	}
}

// Any unit is measured or refused.
func FuzzMachine(f *testing.F) {
	f.Add([]byte("\x04\xaf\x00c\x30\x03\xaf\x01t\x03\xaf\x01x\x03\xaf\x01e"))
	f.Add([]byte("\x06\x91Opusf\x04\xaf\x00b\x30\x03\xaf\x01t\x0b\x95\x11mp4a\x00\x00\x00\x01t"))
	f.Fuzz(func(t *testing.T, script []byte) {
		b := newBench(t)
		for len(script) > 1 {
			n := min(int(script[0]), len(script)-1)
			body, tail := flv.NewBody(n)
			copy(body, script[1:])
			script = script[1+n:]
			if n > 2 && body[n-1] == 'p' {
				continue // a panic is the decoder's to have
			}
			au, err := flv.Unit(media.Audio, b.stream.dts, body, tail)
			if err != nil {
				continue // no topic lets it in
			}
			b.stream.seq++
			u := b.setup("c\x30")
			u.AccessUnit = au
			_, err = b.Machine.Unit(u)
			var r Report
			b.report(&r)
			bounded(t, r.Reading)
			if e := b.Event(); e != nil {
				fields(t, e)
			}
			if errors.Is(err, errUnmeasured) && r.Unavailable == "" {
				t.Error("refused for no reason")
			}
			b.stream.dts += interval
		}
		if b.opened > 1 {
			t.Errorf("%d decoders are open", b.opened)
		}
	})
}
