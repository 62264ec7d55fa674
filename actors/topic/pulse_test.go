package topic

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// beat is a pulse on a ring, with the times at which a waiting reader was woken.
type beat struct {
	*pulse
	machine *Machine
	reader  *Reader
	begun   time.Time

	mu    sync.Mutex
	woken []time.Duration
}

func newBeat(window time.Duration) *beat {
	ring := NewRing(DefaultLimits())
	b := &beat{
		pulse: &pulse{ring: ring, window: &Window{}}, machine: NewMachine(ring),
		reader: NewReader(ring, 0), begun: time.Now(),
	}
	b.window.Set(window)
	return b
}

// push appends a unit as the topic does.
func (b *beat) push(t *testing.T, letter byte) {
	t.Helper()
	last := latest(b.machine)
	if _, err := b.machine.Push(unit(1, b.machine.Seq()+1, letter, last+10*ms)); err != nil {
		t.Fatal(err)
	}
	b.appended()
}

// wait notes when the reader is woken next.
func (b *beat) wait() {
	turn := b.ring.Turn()
	go func() {
		<-turn
		b.mu.Lock()
		defer b.mu.Unlock()
		b.woken = append(b.woken, time.Since(b.begun))
	}()
}

func TestPulseWithoutWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBeat(0)
		for _, letter := range []byte("VKfff") {
			b.wait()
			b.push(t, letter)
			synctest.Wait()
		}
		if len(b.woken) != 5 || b.woken[4] != 0 {
			t.Errorf("woken %v, want at once for each of 5 units", b.woken)
		}
	})
}

func TestPulseMerges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBeat(50 * time.Millisecond)
		b.wait()
		b.push(t, 'V') // after a pause nothing is gained by waiting
		expect(t, published(b), "V1")
		b.push(t, 'K')
		for range 100 {
			b.wait()
			pass(10 * time.Millisecond)
			b.push(t, 'f')
		}
		pass(50 * time.Millisecond)
		if b.ring.visible.Load() != b.ring.head.Load() {
			t.Error("a unit is left unpublished")
		}
		if turns := distinct(b.woken); turns < 20 || turns > 22 {
			t.Errorf("%d turns in a second, want about 20: %v", turns, b.woken)
		}
	})
}

// published is what readers may see.
func published(b *beat) []*Unit {
	var units []*Unit
	for pos := range b.ring.visible.Load() {
		units = append(units, b.ring.at(pos))
	}
	return units
}

func distinct(times []time.Duration) int {
	n := 0
	for i, at := range times {
		if i == 0 || at != times[i-1] {
			n++
		}
	}
	return n
}

// The window changes while a turn is armed: nothing is lost either way.
func TestPulseWindowChanges(t *testing.T) {
	for _, next := range []time.Duration{0, 10 * time.Millisecond, MaxWindow} {
		synctest.Test(t, func(t *testing.T) {
			b := newBeat(50 * time.Millisecond)
			b.push(t, 'V')
			b.push(t, 'K') // arms
			b.window.Set(next)
			b.push(t, 'f')
			if next == 0 && b.ring.visible.Load() != 3 {
				t.Error("without a window units are not published at once")
			}
			pass(MaxWindow)
			if b.ring.visible.Load() != 3 {
				t.Errorf("window %v: %d of 3 units are published", next, b.ring.visible.Load())
			}
			b.push(t, 'f')
			pass(MaxWindow)
			if b.ring.visible.Load() != 4 {
				t.Errorf("window %v: the next turn does not come", next)
			}
		})
	}
}

func TestPulseStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBeat(50 * time.Millisecond)
		b.push(t, 'V')
		b.push(t, 'K')
		b.stop()
		if b.ring.visible.Load() != 2 {
			t.Error("what is left is not published by stop")
		}
		b.wait()
		pass(time.Second)
		if len(b.woken) != 0 {
			t.Error("a stopped pulse goes on")
		}
		b.ring.WakeAll() // whoever waits
	})
	(&pulse{ring: NewRing(DefaultLimits()), window: &Window{}}).stop() // nothing was appended yet
}

func TestWindowBounds(t *testing.T) {
	var w Window
	for set, want := range map[time.Duration]time.Duration{
		-1: 0, 0: 0, time.Millisecond: time.Millisecond, time.Hour: MaxWindow,
	} {
		if w.Set(set); w.Get() != want {
			t.Errorf("Set(%v) gives %v, want %v", set, w.Get(), want)
		}
	}
}

// pass lets time pass in a bubble, and everything happen that is due.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
