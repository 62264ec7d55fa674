package topic

import "testing"

// A reader that was interrupted goes on behind what it had, while the ring holds that.
func TestResume(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	feed(t, m, 3, "VAKfafKfa")
	r := NewFollower(m.ring, 0)
	if !r.Resume(3, 5) {
		t.Fatal("a unit that is there is not found")
	}
	expect(t, all(r), "f6 K7 f8 a9")
	for name, place := range map[string][2]uint64{
		"to come": {3, 10}, "another epoch": {2, 5}, "a later epoch": {4, 5}, "none": {3, 0},
	} {
		if NewFollower(m.ring, 0).Resume(place[0], place[1]) {
			t.Errorf("a place that is %s is found", name)
		}
	}
}

// Who has followed an epoch before begins the next with all of it, while the ring has that.
func TestFirst(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	early := NewFollower(m.ring, 0)
	if !early.First(3) || early.First(3) {
		t.Error("a ring without a unit has its first still to come, once")
	}
	feed(t, m, 3, "VAKfaK")
	expect(t, all(early), "V1 A2 K3 f4 a5 K6")
	late := NewFollower(m.ring, 0)
	if late.First(2) || !late.First(3) {
		t.Error("the first unit is that of the epoch")
	}
	expect(t, all(late), "V1 A2 K3 f4 a5 K6")
	m.Seal(&Seal{})
	if NewFollower(m.ring, 0).First(3) {
		t.Error("what is sealed is nobody's beginning")
	}
}

// Who is ahead of a ring goes on with what comes to it.
func TestAwait(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	empty := NewFollower(m.ring, 0)
	if !empty.Await(3, 9) {
		t.Error("an empty ring is not behind")
	}
	feed(t, m, 3, "VAKfa")
	for name, place := range map[string][2]uint64{
		"there": {3, 5}, "gone": {3, 2}, "before": {2, 9}, "none": {3, 0},
	} {
		if NewFollower(m.ring, 0).Await(place[0], place[1]) {
			t.Errorf("a unit that is %s is awaited", name)
		}
	}
	ahead := NewFollower(m.ring, 0)
	if !ahead.Await(3, 6) || !NewFollower(m.ring, 0).Await(4, 1) {
		t.Error("a unit that is to come is not awaited")
	}
	feed(t, m, 3, "fK")
	expect(t, all(ahead), "f6 K7")
	expect(t, all(empty), "V1 A2 K3 f4 a5 f6 K7")
}

// moves counts what a watcher is told.
type moves int

func (m *moves) RingMoved() { *m++ }

func TestWatch(t *testing.T) {
	ring := NewRing(DefaultLimits())
	var a, b moves
	ring.Watch(&a)
	ring.Watch(&b)
	ring.Tell()
	ring.Unwatch(&a)
	ring.Tell()
	ring.Unwatch(&b)
	ring.Unwatch(&b)
	ring.Tell()
	if a != 1 || b != 2 {
		t.Errorf("told %d and %d times", a, b)
	}
}

// A seal that overtakes units on their way holds for them when they come, and for no later ones.
func TestSealAhead(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	feed(t, m, 1, "VAKf")
	m.Seal(&Seal{Epoch: 1, Seq: 8})
	feed(t, m, 1, "faKf") // 5 to 8
	late := NewFollower(m.ring, 0)
	expect(t, all(late), "")
	feed(t, m, 1, "Kf")
	expect(t, all(late), "V1 A2 K9 f10")
	m.Seal(&Seal{Epoch: 1, Seq: 7}) // it comes again, late
	expect(t, all(NewFollower(m.ring, 0)), "V1 A2 K9 f10")
}

// A follower does not wait for the merge window.
func TestFollowerIsEager(t *testing.T) {
	m := NewMachine(NewRing(DefaultLimits()))
	for i, letter := range []byte("VAKf") {
		if _, err := m.Push(unit(1, uint64(i+1), letter, 0)); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, all(NewReader(m.ring, 0)), "")
	expect(t, all(NewFollower(m.ring, 0)), "V1 A2 K3 f4")
}
