package load

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		window      time.Duration
		utilisation float64
		want        time.Duration
	}{
		{0, 0, 0},
		{0, busyAbove, 0},
		{0, 1, windowStep},
		{windowStep, 1, windowStep * 3 / 2},
		{20 * ms, busyAbove + 0.01, 30 * ms},
		{20 * ms, (busyAbove + idleBelow) / 2, 20 * ms},
		{20 * ms, busyAbove, 20 * ms},
		{20 * ms, idleBelow, 20 * ms},
		{20 * ms, idleBelow - 0.01, 15 * ms},
		{6 * ms, 0, 0}, // snaps
		{windowStep, 0, 0},
		{90 * ms, 1, WindowMax},
		{WindowMax, 1, WindowMax},
		{350 * ms, 1, WindowMax},
		{ms, 1, windowStep},
		{20 * ms, math.NaN(), 20 * ms},
	} {
		if got := next(c.window, c.utilisation); got != c.want {
			t.Errorf("next(%v, %v) = %v, want %v", c.window, c.utilisation, got, c.want)
		}
	}
}

// A load that comes and goes takes the window up and down again, within its bounds, in seconds.
func TestWindowComesAndGoes(t *testing.T) {
	var window time.Duration
	steps := 0
	for ; window < WindowMax; steps++ {
		if after := next(window, 0.9); after <= window || after > WindowMax {
			t.Fatalf("%v becomes %v", window, after)
		} else {
			window = after
		}
	}
	if took := time.Duration(steps) * interval; took > 3*time.Second {
		t.Errorf("the window is wide after %v", took)
	}
	for steps = 0; window > 0; steps++ {
		if after := next(window, 0.1); after >= window || after != 0 && after < windowStep {
			t.Fatalf("%v becomes %v", window, after)
		} else {
			window = after
		}
	}
	if took := time.Duration(steps) * interval; took > 4*time.Second {
		t.Errorf("the window is closed after %v", took)
	}
}

var stats = []struct {
	stat        string
	busy, total uint64
	bad         bool
}{
	{"cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1\n", 27, 36, false},
	{"cpu 0 0 0 0 0 0 0 0", 0, 0, false},
	{"cpu 1 2 3 4 5 6 7\n", 0, 0, true},
	{"cpu0 1 2 3 4 5 6 7 8\n", 0, 0, true},
	{"cpu 1 2 3 4 5 6 7 -8\n", 0, 0, true},
	{"cpu 1 2 3 x 5 6 7 8\n", 0, 0, true},
	{"", 0, 0, true},
	{"\n", 0, 0, true},
}

func TestParseStat(t *testing.T) {
	for _, c := range stats {
		busy, total, err := parseStat([]byte(c.stat))
		if busy != c.busy || total != c.total || (err != nil) != c.bad {
			t.Errorf("parseStat(%q) = %d, %d, %v; want %d, %d", c.stat, busy, total, err, c.busy, c.total)
		}
	}
	real, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	if busy, total, err := parseStat(real); err != nil || busy == 0 || total <= busy {
		t.Errorf("this machine: %d of %d, %v", busy, total, err)
	}
}

func FuzzParseStat(f *testing.F) {
	for _, c := range stats {
		f.Add([]byte(c.stat))
	}
	f.Add(fmt.Appendf(nil, "cpu %d %[1]d 1 1 1 1 1 1", uint64(math.MaxUint64)))
	f.Fuzz(func(t *testing.T, stat []byte) {
		if busy, total, err := parseStat(stat); err != nil && (busy != 0 || total != 0) {
			t.Errorf("%d of %d with %v", busy, total, err)
		}
	})
}

// A sample is a share, whatever the kernel's counters do, and the first one is nothing.
func TestSample(t *testing.T) {
	var c cpu
	now := time.Now()
	if got, err := c.sample(now); got != 0 || err != nil {
		t.Errorf("the first sample is %v, %v", got, err)
	}
	for _, last := range []cpu{
		{busy: math.MaxUint64, total: 0},       // busy falls
		{busy: 0, total: math.MaxUint64},       // total falls
		{busy: c.busy, total: c.total},         // nothing moves
		{process: -time.Hour, total: c.total},  // more than there is
		{process: 1 << 60, total: c.total - 1}, // the process' time falls
	} {
		last.at = now
		c = last
		if got, err := c.sample(now.Add(time.Second)); err != nil || got < 0 || got > 1 {
			t.Errorf("after %+v: %v, %v", last, got, err)
		}
	}
	if got, err := c.sample(now); got != 0 || err != nil { // the clock goes back
		t.Errorf("an earlier sample is %v, %v", got, err)
	}
}
