package topic

import (
	"errors"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// step is a unit that is pushed and what comes of it.
type step struct {
	epoch, seq uint64
	letter     byte
	dts        media.Time
	err        error
	at         media.Time // where it entered
}

func TestMachine(t *testing.T) {
	begin := []step{{1, 1, 'V', 0, nil, 0}, {1, 2, 'A', 0, nil, 0}, {1, 3, 'K', 40, nil, 40}}
	for name, steps := range map[string][]step{
		"no header yet": {
			{1, 1, 'K', 0, ErrNoHeader, 0},
			{1, 2, 'a', 0, ErrNoHeader, 0},
			{1, 3, 'V', 0, nil, 0},
			{1, 4, 'f', 0, ErrNoKeyframe, 0},
			{1, 5, 'K', 10, nil, 10},
			{1, 6, 'f', 20, nil, 20},
			{1, 7, 'a', 20, ErrNoHeader, 0},
			{1, 8, 'A', 20, nil, 20},
			{1, 9, 'a', 20, nil, 20},
		},
		"duplicate": append(begin[:3:3],
			step{1, 3, 'K', 40, ErrDuplicate, 0}, step{1, 2, 'A', 40, ErrDuplicate, 0},
			step{1, 4, 'f', 80, nil, 80}),
		"gap": append(begin[:3:3],
			step{1, 5, 'f', 80, ErrNoKeyframe, 0}, step{1, 6, 'a', 80, nil, 80},
			step{1, 4, 'f', 60, ErrDuplicate, 0}, step{1, 7, 'f', 90, ErrNoKeyframe, 0},
			step{1, 8, 'K', 100, nil, 100}, step{1, 9, 'f', 110, nil, 110}),
		"time would fall": append(begin[:3:3],
			step{1, 4, 'f', 20, nil, 40}, step{1, 5, 'a', 20, nil, 20}, step{1, 6, 'a', 10, nil, 20},
			step{1, 7, 'd', 5, nil, 5}, step{1, 8, 'f', 50, nil, 50}),
		"header changes in a GOP": append(begin[:3:3],
			step{1, 4, 'V', 50, nil, 50}, step{1, 5, 'f', 60, ErrNoKeyframe, 0},
			step{1, 6, 'a', 60, nil, 60}, step{1, 7, 'K', 70, nil, 70}, step{1, 8, 'f', 80, nil, 80}),
		"new epoch": append(begin[:3:3],
			step{2, 1, 'K', 50, ErrNoHeader, 0}, step{2, 2, 'V', 50, nil, 80},
			step{2, 3, 'a', 50, ErrNoHeader, 0}, step{2, 4, 'f', 60, ErrNoKeyframe, 0},
			step{2, 5, 'K', 70, nil, 100}, step{1, 4, 'f', 80, ErrStale, 0},
			step{1, 900, 'K', 80, ErrStale, 0}, step{2, 6, 'f', 80, nil, 110}),
		"new epoch begins earlier": append(begin[:3:3],
			step{7, 1, 'V', 0, nil, 80}, step{7, 2, 'K', 10, nil, 90}, step{7, 3, 'f', 20, nil, 100}),
		"new epoch begins late": append(begin[:3:3],
			step{2, 3, 'V', 90, nil, 90}, step{2, 4, 'K', 90, nil, 90}),
		"data needs nothing": {{3, 1, 'd', 5, nil, 5}, {3, 2, 'D', 5, nil, 5}},
		"audio alone": {
			{1, 1, 'A', 0, nil, 0},
			{1, 2, 'a', 10, nil, 10},
			{1, 4, 'a', 30, nil, 30},
			{1, 5, 'a', 30, nil, 30},
		},
	} {
		t.Run(name, func(t *testing.T) { run(t, NewMachine(NewRing(DefaultLimits())), steps) })
	}
}

func run(t *testing.T, m *Machine, steps []step) {
	t.Helper()
	for i, s := range steps {
		u, err := m.Push(unit(s.epoch, s.seq, s.letter, s.dts*ms))
		if !errors.Is(err, s.err) {
			t.Fatalf("step %d, %c%d: %v, want %v", i, s.letter, s.seq, err, s.err)
		}
		if s.err != nil {
			continue
		}
		if u.DTS != s.at*ms {
			t.Fatalf("step %d, %c%d entered at %d ms, want %d", i, s.letter, s.seq, u.DTS/ms, s.at)
		}
	}
}

func TestMachineCountsGaps(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	feed(t, m, 1, "VAKff")
	for _, seq := range []uint64{7, 8, 20} {
		_, _ = m.Push(unit(1, seq, 'a', 0))
	}
	if m.Gaps() != 2 {
		t.Errorf("%d gaps, want 2", m.Gaps())
	}
}

func TestMachineFence(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	feed(t, m, 3, "VK")
	m.Fence(5)
	m.Fence(4)
	if _, err := m.Push(unit(4, 1, 'V', 0)); !errors.Is(err, ErrStale) {
		t.Errorf("a unit below the fence: %v", err)
	}
	if _, err := m.Push(unit(5, 1, 'V', 0)); err != nil {
		t.Errorf("a unit of the fence's epoch: %v", err)
	}
}

// A topic that failed goes on where it was, and knows nothing of the unit that it failed on.
func TestMachineRestart(t *testing.T) {
	ring := NewRing(DefaultLimits())
	m := NewMachine(ring)
	feed(t, m, 4, "VAKf")
	m = NewMachine(ring)
	if last := latest(m); last != 40*ms || m.Epoch() != 4 || m.Seq() != 4 {
		t.Fatalf("after the restart: %v, epoch %d, seq %d", last, m.Epoch(), m.Seq())
	}
	run(t, m, []step{
		{3, 9, 'K', 50, ErrStale, 0},
		{4, 4, 'f', 50, ErrDuplicate, 0},
		{4, 5, 'f', 10, nil, 40},
		{4, 7, 'f', 60, ErrNoKeyframe, 0},
		{4, 8, 'K', 70, nil, 70},
	})
	m = NewMachine(ring)
	run(t, m, []step{{4, 10, 'f', 80, ErrNoKeyframe, 0}})
	m = NewMachine(ring) // which still knows that video waits
	run(t, m, []step{{4, 11, 'f', 80, ErrNoKeyframe, 0}, {4, 12, 'K', 90, nil, 90}})
}

// A mailbox may drop a sequence header like any unit: what comes after it brings it back.
func TestMachineLostHeader(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	v1, a1, v2 := unit(1, 1, 'V', 0), unit(1, 2, 'A', 0), unit(1, 6, 'V', 40*ms)
	push := func(seq uint64, letter byte, dts media.Time, header *Unit) error {
		u := unit(1, seq, letter, dts*ms)
		u.Header = header
		_, err := m.Push(u)
		return err
	}
	for _, err := range []error{
		push(3, 'K', 10, v1), push(4, 'a', 10, a1), push(5, 'f', 20, v1), // 1 and 2 are lost
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := push(7, 'f', 50, v2); !errors.Is(err, ErrNoKeyframe) { // 6 is lost
		t.Fatalf("a frame behind a lost header: %v", err)
	}
	if err := push(8, 'K', 60, v2); err != nil {
		t.Fatal(err)
	}
	if err := push(9, 'f', 70, v1); err != nil { // a header never goes back
		t.Fatal(err)
	}
	m.ring.Publish()
	if got, want := letters(m.Snapshot()), "A2 V6 K8 f9"; got != want {
		t.Errorf("the topic has %s, want %s", got, want)
	}
}

func TestSnapshotAdopt(t *testing.T) {
	for name, c := range map[string]struct {
		origin, have, want string
	}{
		"nothing":             {"", "", ""},
		"headers only":        {"VAD", "", "V1 A2 D3"},
		"a GOP":               {"VADKfaf", "", "V1 A2 D3 K4 f5 a6 f7"},
		"the newest GOP":      {"VAKfaKa", "", "V1 A2 K6 a7"},
		"headers out of kind": {"AVKfaKDf", "", "A1 V2 K6 D7 f8"},
		"header changed":      {"VAKfVKfAa", "", "A2 V5 K6 f7 A8 a9"},
		"audio only":          {"DAaaa", "", "D1 A2 a5"},
		"has some of it":      {"VAKfaff", "VAKf", "V1 A2 K3 f4 a5 f6 f7"},
		"has all of it":       {"VAKfa", "VAKfa", "V1 A2 K3 f4 a5"},
		"far behind":          {"VAKffffKff", "VAK", "V1 A2 K8 f9 f10"},
	} {
		t.Run(name, func(t *testing.T) {
			origin, edge := NewMachine(NewRing(DefaultLimits())), NewMachine(NewRing(DefaultLimits()))
			feed(t, origin, 1, c.origin)
			feed(t, edge, 1, c.have)
			snapshot := origin.Snapshot()
			for _, u := range snapshot {
				if _, err := edge.Adopt(u); err != nil && !errors.Is(err, ErrDuplicate) {
					t.Fatalf("%s: %v", letters([]*Unit{u}), err)
				}
			}
			if edge.Gaps() != 0 {
				t.Errorf("a snapshot counts as %d gaps", edge.Gaps())
			}
			if got := letters(edge.Snapshot()); got != c.want {
				t.Errorf("adopted %s, want %s", got, c.want)
			}
			if origin.Seq() != edge.Seq() {
				t.Errorf("the follower is at %d, its source at %d", edge.Seq(), origin.Seq())
			}
		})
	}
}

// An edge that follows a broadcast from one epoch to the next adopts the next one's snapshot.
func TestAdoptNextEpoch(t *testing.T) {
	origin, edge := NewMachine(NewRing(DefaultLimits())), NewMachine(NewRing(DefaultLimits()))
	feed(t, edge, 1, "VAKfff")
	feed(t, origin, 2, "AVKfaKf")
	for _, u := range origin.Snapshot() {
		if _, err := edge.Adopt(u); err != nil {
			t.Fatalf("%s: %v", letters([]*Unit{u}), err)
		}
	}
	if got, want := letters(edge.Snapshot()), "A1 V2 K6 f7"; got != want {
		t.Errorf("adopted %s, want %s", got, want)
	}
	if _, err := edge.Push(unit(2, 8, 'f', 500*ms)); err != nil {
		t.Errorf("the unit after the snapshot: %v", err)
	}
}

// What comes after the units of an epoch begins when they are over, reordered pictures included.
func TestMachineEnd(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	if end, ok := m.End(); ok {
		t.Fatalf("an empty topic ends at %v", end)
	}
	feed(t, m, 1, "VAKf")
	u := unit(1, 5, 'f', 50*ms)
	u.CTS = 66 * ms
	if _, err := m.Push(u); err != nil {
		t.Fatal(err)
	}
	if end, ok := m.End(); !ok || end != (50+66+10)*ms {
		t.Errorf("the topic ends at %v, want 126 ms", end)
	}
}
