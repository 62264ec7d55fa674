package timeline

import (
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

const ms = media.Millisecond

const (
	audio = media.Audio
	video = media.Video
	data  = media.Data
)

// in is a unit and the DTS that it shall have, all in milliseconds.
type in struct {
	kind   media.Kind
	ts     uint32
	at     int64 // arrival
	want   int64
	adjust int64
}

func run(t *testing.T, tl *Timeline, units []in) {
	t.Helper()
	for i, u := range units {
		dts, adjust := tl.Map(u.kind, u.ts, media.FromMillis(u.at))
		if dts != media.FromMillis(u.want) || adjust != media.FromMillis(u.adjust) {
			t.Fatalf("unit %d: %s ts %d at %d: DTS %d ms adjust %d ms, want %d and %d",
				i, u.kind, u.ts, u.at, dts.Millis(), adjust.Millis(), u.want, u.adjust)
		}
	}
}

func TestScenarios(t *testing.T) {
	for _, group := range [][]scenario{plain(), jumps(), strays(), holes(), disorder()} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) { run(t, New(Options{}, c.start), c.units) })
		}
	}
}

func TestReconnect(t *testing.T) {
	tl := New(Options{}, Start{})
	run(t, tl, []in{
		{video, 0, 0, 0, 0},
		{audio, 0, 0, 0, 0},
		{video, 33, 33, 33, 0},
		{audio, 23, 33, 23, 0},
	})
	tl.Reconnect(3000 * ms)
	run(t, tl, []in{
		{audio, 70_040, 5033, 5033, 0},
		{video, 70_000, 5034, 4993, 0},
		{video, 70_033, 5066, 5026, 0},
	})
	// At once, and video further behind than the pause was long: both move up.
	tl.Reconnect(5067 * ms)
	run(t, tl, []in{
		{audio, 500, 5070, 5056, 0},
		{video, 400, 5070, 5027, 0},
		{audio, 523, 5090, 5150, 0},
		{video, 433, 5090, 5060, 0},
	})
	// For long: the hole is shortened.
	tl.Reconnect(6000 * ms)
	run(t, tl, []in{{video, 0, 65_090, 15_150, 0}, {audio, 0, 65_090, 15_150, 0}})
	if got := tl.Stats().Jumps; got != 3 {
		t.Fatalf("%d jumps, want 3", got)
	}
}

func TestReconnectBeforeAnything(t *testing.T) {
	tl := New(Options{}, Start{})
	tl.Reconnect(1000 * ms)
	run(t, tl, []in{{video, 40, 2000, 40, 0}, {audio, 0, 2000, 0, 0}})
}

func TestLastAndHere(t *testing.T) {
	tl := New(Options{}, Start{})
	if tl.Last() != -ms || tl.Here(video) != 0 || tl.Here(data) != 0 || tl.Here(99) != 0 {
		t.Fatal("before the first unit", tl.Last(), tl.Here(video))
	}
	run(t, tl, []in{{video, 40, 0, 40, 0}, {audio, 10, 0, 10, 0}})
	if tl.Last() != 40*ms || tl.Here(video) != 40*ms || tl.Here(audio) != 10*ms {
		t.Fatal("after two", tl.Last(), tl.Here(video), tl.Here(audio))
	}
	tl = New(Options{}, Start{DTS: 7 * ms, Has: true})
	if tl.Last() != 7*ms || tl.Here(audio) != 8*ms {
		t.Fatal("handed over", tl.Last(), tl.Here(audio))
	}
}

// A file pushed as fast as the network takes it runs into MaxLead and is squeezed there; after it,
// real time goes on at once.
func TestMaxLead(t *testing.T) {
	tl := New(Options{MaxLead: 2 * media.Second}, Start{})
	var last media.Time
	for i := range 300 {
		last, _ = tl.Map(video, uint32(i*33), media.Time(i)*ms)
	}
	if limit := 2*media.Second + 300*2*ms; last > limit || last < 2*media.Second {
		t.Fatalf("ten seconds in 300 ms: DTS %d ms", last.Millis())
	}
	next, _ := tl.Map(video, 300*33, 332*ms)
	if next != last+33*ms {
		t.Fatalf("then %d after %d ms", next.Millis(), last.Millis())
	}
	if tl.Stats().Capped == 0 {
		t.Fatal("not counted")
	}
}

func TestOptions(t *testing.T) {
	tl := New(Options{JumpForward: 100 * ms, JumpBack: 50 * ms, MaxGap: 40 * ms}, Start{})
	run(t, tl, []in{
		{video, 1000, 0, 250, 0}, {video, 1100, 0, 350, 0}, // Just no jump.
		{video, 1050, 10, 351, -51}, // Just no jump back.
		{video, 1049, 20, 451, 0},   // Back, by the interval of the track.
		{video, 9000, 2000, 491, 0}, // Explained by nothing, shortened to MaxGap.
	})
}

func TestNoAllocations(t *testing.T) {
	tl := New(Options{}, Start{})
	var ts uint32
	if n := testing.AllocsPerRun(1000, func() {
		ts += 1_000_007 // A jump each time.
		tl.Map(video, ts, media.FromMillis(int64(ts)/10_000))
		tl.Map(audio, ts, media.FromMillis(int64(ts)/10_000))
		tl.Map(data, ts, 0)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkMap(b *testing.B) {
	tl := New(Options{}, Start{})
	var ts uint32
	b.ReportAllocs()
	for b.Loop() {
		ts += 33
		tl.Map(video, ts, media.FromMillis(int64(ts)))
	}
}
