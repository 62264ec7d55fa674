package topic

import (
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

func expect(t *testing.T, got []*Unit, want string) {
	t.Helper()
	if g := letters(got); g != want {
		t.Errorf("read %q, want %q", g, want)
	}
}

func TestReaderJoins(t *testing.T) {
	for name, c := range map[string]struct{ before, first, after, then string }{
		"nothing there":        {"", "", "VAKf", "V1 A2 K3 f4"},
		"headers only":         {"VA", "", "Kf", "V1 A2 K3 f4"},
		"at a keyframe":        {"DVAK", "D1 V2 A3 K4", "f", "f5"},
		"in a GOP":             {"VAKfafKfa", "V1 A2 K7 f8 a9", "fK", "f10 K11"},
		"headers follow":       {"VKAaf", "V1 K2 A3 a4 f5", "f", "f6"},
		"header changed":       {"VAKfVKf", "V5 A2 K6 f7", "f", "f8"},
		"metadata late":        {"VKDf", "V1 K2 D3 f4", "", ""},
		"audio only":           {"Aaaa", "A1 a4", "aa", "a5 a6"},
		"audio, then video":    {"AaaVaKf", "V4 A1 K6 f7", "a", "a8"},
		"video that never was": {"VAaaa", "", "K", "V1 A2 K6"},
	} {
		t.Run(name, func(t *testing.T) {
			m := NewMachine(NewRing(DefaultLimits()))
			r := NewReader(m.ring, 0)
			feed(t, m, 1, c.before)
			expect(t, all(r), c.first)
			if r.Joined() != (c.first != "") {
				t.Error("Joined says otherwise")
			}
			feed(t, m, 1, c.after)
			expect(t, all(r), c.then)
			expect(t, all(r), "")
		})
	}
}

// What is not published is not read, though it is in the ring.
func TestReaderSeesThePublished(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	r := NewReader(m.ring, 0)
	feed(t, m, 1, "VKf")
	for i, letter := range []byte("ffK") {
		if _, err := m.Push(unit(1, uint64(4+i), letter, media.Second)); err != nil {
			t.Fatal(err)
		}
	}
	late := NewReader(m.ring, 0)
	expect(t, all(late), "V1 K2 f3") // the newest entry is not visible yet, the one before it is
	expect(t, all(r), "V1 K2 f3")
	m.ring.Publish()
	expect(t, all(late), "f4 f5 K6")
	expect(t, all(NewReader(m.ring, 0)), "V1 K6")
}

func TestReaderSkips(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	r := NewReader(m.ring, 100*ms)
	feed(t, m, 1, "VAKff")
	expect(t, all(r), "V1 A2 K3 f4 f5")
	feed(t, m, 1, "ffffffff") // 80 ms behind: it reads on
	feed(t, m, 1, "Kfff")     // 110 ms behind, and there is a place to go on
	expect(t, all(r), "K14 f15 f16 f17")
	if times, units := r.Skips(); times != 1 || units != 8 {
		t.Errorf("%d skips over %d units, want 1 over 8", times, units)
	}
	feed(t, m, 1, "ffffffffffffffff") // 160 ms behind, but nowhere to go
	if got := len(all(r)); got != 16 {
		t.Errorf("without a keyframe it reads %d units, want all 16", got)
	}
	feed(t, m, 1, "VAKaaaaaaaaaaaaK") // the headers change across a skip
	expect(t, all(r), "V34 A35 K49")
	if times, _ := r.Skips(); times != 2 {
		t.Errorf("%d skips, want 2", times)
	}
}

// A reader whose place is evicted goes on at the newest keyframe, or waits for one.
func TestReaderEvicted(t *testing.T) {
	m := NewMachine(NewRing(Limits{Bytes: 20 * (20 + overhead), Time: media.Second}))
	r := NewReader(m.ring, 0)
	feed(t, m, 1, "VAKf")
	expect(t, all(r), "V1 A2 K3 f4")
	fill(t, m, 'f', 40, 10*ms)
	expect(t, all(r), "")
	fill(t, m, 'f', 1, 10*ms)
	expect(t, all(r), "")
	feed(t, m, 1, "Kf")
	expect(t, all(r), "K46 f47")
	if times, units := r.Skips(); times != 1 || units != 41 {
		t.Errorf("%d skips over %d units, want 1 over 41", times, units)
	}
}

// evict while Next reads: the batch ends there, and grows by no header beyond its bound.
func TestReaderEvictedInABatch(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	feed(t, m, 1, "DVAKffffffffff")
	r := NewReader(m.ring, 0)
	batch := make([]*Unit, 0, 16)
	r.Next(batch, 1<<20)
	feed(t, m, 1, "ffffDVAKf")
	table := *m.ring.table.Load()
	m.ring.tail.Store(r.pos + 3) // as a writer does between two of its loads
	table[r.pos+2].Store(nil)
	got := r.Next(batch, 1<<20)
	if len(got) > cap(batch) {
		t.Errorf("%d units in a batch of %d", len(got), cap(batch))
	}
	expect(t, got, "D19 V20 A21 K22 f23")
}

func TestReaderBatchBounds(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	feed(t, m, 1, "DVAK")
	fill(t, m, 'f', 100, 10*ms)
	for _, room := range []int{MinBatch, 8, 64} {
		r := NewReader(m.ring, 0)
		batch := make([]*Unit, 0, room)
		total := 0
		for units := r.Next(batch, 1<<20); len(units) > 0; units = r.Next(batch, 1<<20) {
			if len(units) > room {
				t.Fatalf("%d units in a batch of %d", len(units), room)
			}
			total += len(units)
		}
		if total != 104 {
			t.Errorf("in batches of %d it reads %d units, want 104", room, total)
		}
	}
	r := NewReader(m.ring, 0)
	expect(t, r.Next(make([]*Unit, 0, 64), 1), "D1 V2 A3")
	expect(t, r.Next(make([]*Unit, 0, 64), 1), "K4")
	expect(t, r.Next(make([]*Unit, 0, 64), 45), "f5 f6")
}

// A topic that is restarted goes on with the same ring: a reader notices nothing.
func TestReaderAcrossRestart(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	r := NewReader(m.ring, 0)
	feed(t, m, 1, "VAKf")
	all(r)
	feed(t, NewMachine(m.ring), 1, "ffKf")
	expect(t, all(r), "f5 f6 K7 f8")
}

// The next epoch has headers of its own, which come before its pictures.
func TestReaderAcrossEpochs(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	r := NewReader(m.ring, 0)
	feed(t, m, 1, "VAKf")
	all(r)
	feed(t, m, 2, "AVKf")
	units := all(r)
	expect(t, units, "A1 V2 K3 f4")
	if units[0].Epoch != 2 {
		t.Error("the next epoch's headers are the last one's")
	}
}

// After a seal nobody begins with what the ring keeps, and those who have begun go on.
func TestSealKeepsLateJoinersOut(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	feed(t, m, 1, "VAKaf")
	early := NewReader(m.ring, 0)
	all(early)
	m.Seal(&Seal{})
	feed(t, m, 1, "fa")
	late := NewReader(m.ring, 0)
	if got := letters(all(late)); got != "" {
		t.Errorf("a late joiner gets %s", got)
	}
	if got := letters(m.Snapshot()); got != "V1 A2" {
		t.Errorf("a snapshot holds %s", got)
	}
	if got := letters(all(early)); got != "f6 a7" {
		t.Errorf("who was there gets %s", got)
	}
	feed(t, m, 1, "Kf")
	if got := letters(all(late)); got != "V1 A2 K8 f9" {
		t.Errorf("a late joiner gets %s", got)
	}
}
