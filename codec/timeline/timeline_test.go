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
	const hour = 3600_000
	for _, c := range []struct {
		name  string
		start Start
		units []in
	}{
		{"from zero", Start{}, []in{
			{video, 0, 1000, 0, 0},
			{audio, 0, 1001, 0, 0},
			{audio, 23, 1020, 23, 0},
			{video, 33, 1033, 33, 0},
			{audio, 46, 1046, 46, 0},
			{video, 67, 1067, 67, 0},
		}},
		{"audio leads", Start{}, []in{
			{audio, 40, 0, 40, 0},
			{video, 0, 1, 0, 0},
			{video, 33, 10, 33, 0},
			{audio, 63, 10, 63, 0},
		}},
		{"from 16 800 s, video behind audio", Start{}, []in{
			{audio, 16_800_040, 0, 250, 0},
			{video, 16_800_000, 0, 210, 0},
			{audio, 16_800_063, 23, 273, 0},
			{video, 16_800_033, 33, 243, 0},
		}},
		{"further behind than the headroom: all move up together", Start{}, []in{
			{audio, 16_800_500, 0, 250, 0},
			{video, 16_800_000, 0, 0, 0},
			{video, 16_800_033, 20, 33, 0},
			{audio, 16_800_523, 23, 523, 0},
			{audio, 16_800_546, 46, 546, 0},
		}},
		{"handed over", Start{DTS: 5000*ms + 1, Has: true}, []in{
			{data, 0, 0, 5001, 0}, {video, 70_000, 0, 5251, 0}, {audio, 69_990, 0, 5241, 0},
		}},
		{"wrap", Start{}, []in{
			{video, 0xffffffdf, 0, 250, 0},
			{audio, 0xfffffff0, 0, 267, 0},
			{video, 0, 33, 283, 0},
			{audio, 7, 33, 290, 0},
			{video, 0xfffffffe, 60, 284, -3},
			{video, 33, 66, 316, 0},
		}},
		{"both jump an hour, audio first", Start{}, []in{
			{video, 1000, 0, 250, 0},
			{audio, 1000, 0, 250, 0},
			{video, 1033, 33, 283, 0},
			{audio, 1023, 33, 273, 0},
			{audio, 1046 + hour, 56, 296, 0},
			{video, 1067, 67, 317, 0},
			{audio, 1069 + hour, 79, 319, 0},
			{video, 1100 + hour, 100, 350, 0},
			{video, 1133 + hour, 133, 383, 0},
			{audio, 1092 + hour, 133, 342, 0},
		}},
		{"both reset, video first", Start{}, []in{
			{video, 90_000, 0, 250, 0},
			{audio, 90_000, 0, 250, 0},
			{video, 90_033, 33, 283, 0},
			{audio, 90_023, 33, 273, 0},
			{video, 0, 66, 316, 0},
			{audio, 90_046, 66, 296, 0},
			{audio, 0, 89, 316, 0},
			{video, 33, 99, 349, 0},
			{audio, 23, 112, 339, 0},
		}},
		{"a reset that would put audio behind itself moves both up", Start{}, []in{
			{video, 90_000, 0, 250, 0},
			{audio, 90_100, 0, 350, 0},
			{video, 0, 33, 283, 0},
			{audio, 0, 33, 351, 0},
			{video, 33, 66, 384, 0},
			{audio, 23, 66, 374, 0},
		}},
		{"back by 1.5 s, audio first", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{audio, 10_000, 0, 250, 0},
			{audio, 8_523, 23, 273, 0},
			{video, 10_033, 33, 283, 0},
			{audio, 8_546, 46, 296, 0},
			{video, 8_567, 67, 317, 0},
			{audio, 8_569, 69, 319, 0},
		}},
		{"only audio jumps", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{audio, 10_000, 0, 250, 0},
			{audio, 10_023 + hour, 23, 273, 0},
			{video, 10_033, 33, 283, 0},
			{audio, 10_046 + hour, 46, 296, 0},
			{video, 10_067, 67, 317, 0},
		}},
		{"one stray timestamp", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{audio, 10_000, 0, 250, 0},
			{video, 10_033 + hour, 33, 283, 0},
			{video, 10_067, 67, 317, 0},
			{audio, 10_046, 70, 296, 0},
			{video, 10_100, 100, 350, 0},
		}},
		{"one stray timestamp of the only track", Start{}, []in{
			{audio, 10_000, 0, 250, 0},
			{audio, 23, 30, 280, 0},
			{audio, 10_046, 50, 296, 0},
			{audio, 10_069, 69, 319, 0},
		}},
		{"tracks with timestamps of their own", Start{}, []in{
			{video, 16_800_000, 0, 250, 0},
			{video, 16_800_033, 33, 283, 0},
			{audio, 0, 40, 290, 0},
			{video, 16_800_067, 67, 317, 0},
			{audio, 23, 67, 313, 0},
		}},
		{"a hole that arrival explains", Start{}, []in{
			{video, 0, 0, 0, 0},
			{audio, 0, 0, 0, 0},
			{video, 33, 33, 33, 0},
			{video, 60_033, 60_033, 60_033, 0},
			{audio, 60_023, 60_040, 60_023, 0},
		}},
		{"a stall and the burst after it", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 33, 33, 33, 0},
			{video, 67, 8_067, 67, 0},
			{video, 100, 8_068, 100, 0},
			{video, 5_000, 8_069, 5_000, 0},
			{video, 8_000, 8_070, 8_000, 0},
		}},
		{"a stall between the first units of the tracks", Start{}, []in{
			{video, 0, 0, 0, 0}, {audio, 10, 8_000, 10, 0}, {video, 33, 8_000, 33, 0},
		}},
		{"a hole in silence is shortened", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 33, 33, 33, 0},
			{video, 5 * hour, 60_000, 10_033, 0},
			{video, 5*hour + 33, 60_033, 10_066, 0},
		}},
		{"a track that was away and restarts goes to where the other is", Start{}, []in{
			{video, 20_000, 0, 250, 0},
			{audio, 20_000, 0, 250, 0},
			{audio, 35_000, 15_000, 15_250, 0},
			{video, 0, 15_010, 15_260, 0},
			{audio, 35_023, 15_023, 15_273, 0},
		}},
		{"duplicates", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 0, 0, 1, -1},
			{video, 0, 0, 2, -2},
			{audio, 0, 0, 0, 0},
			{audio, 0, 0, 1, 0},
			{video, 33, 33, 33, 0},
			{audio, 23, 33, 23, 0},
		}},
		{"disorder keeps PTS", Start{}, []in{
			{video, 0, 0, 0, 0},
			{video, 100, 100, 100, 0},
			{video, 33, 100, 101, -68},
			{video, 67, 100, 102, -35},
			{video, 133, 133, 133, 0},
		}},
		{"falling step by step is a jump in the end", Start{}, []in{
			{video, 10_000, 0, 250, 0},
			{video, 9_400, 33, 251, -601},
			{video, 8_800, 67, 285, 0},
			{video, 8_833, 100, 318, 0},
		}},
		{"metadata with timestamp 0", Start{}, []in{
			{data, 0, 0, 0, 0},
			{video, 90_000, 0, 250, 0},
			{data, 0, 10, 250, 0},
			{audio, 90_023, 23, 273, 0},
			{data, 0, 24, 273, 0},
			{data, 90_050, 50, 300, 0},
			{video, 90_033, 33, 283, 0},
			{data, 90_033, 50, 300, 0},
		}},
	} {
		t.Run(c.name, func(t *testing.T) { run(t, New(Options{}, c.start), c.units) })
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
