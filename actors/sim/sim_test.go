package sim

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

var (
	oneSeed = flag.Int64("sim.seed", -1, "run this seed alone and, with -v, print its trace")
	seeds   = flag.Int("sim.seeds", defaultSeeds, "how many seeds to run")
	first   = flag.Uint64("sim.first", 0, "the first of them")
)

// TestSeeds runs the simulation under many seeds.
func TestSeeds(t *testing.T) {
	if *oneSeed >= 0 {
		var out io.Writer
		if testing.Verbose() {
			out = os.Stdout
		}
		report(t, simulate(t, uint64(*oneSeed), none, out))
		return
	}
	for i := range *seeds {
		seed := *first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			report(t, simulate(t, seed, none, nil))
		})
	}
}

// report says what a run amounted to, and fails if something did not hold.
func report(t *testing.T, w *world) {
	t.Helper()
	t.Logf("seed %d: %+v trace %016x", w.seed, w.counts, w.trace.hash())
	if w.broken != nil {
		t.Errorf("seed %d: %v\n%s\nagain: go test ./actors/sim -run TestSeeds -sim.seed=%d -v",
			w.seed, w.broken, strings.Join(w.trace.tail, ""), w.seed)
	}
}

// TestSameSeedSameTrace holds that a seed is all there is to a run.
func TestSameSeedSameTrace(t *testing.T) {
	traces := map[uint64]uint64{}
	for seed := range uint64(fewSeeds) {
		var again [3]uint64
		for i := range again {
			w := simulate(t, seed, none, nil)
			again[i] = w.trace.hash()
		}
		if again[0] != again[1] || again[0] != again[2] {
			t.Errorf("seed %d has three traces: %x", seed, again)
		}
		traces[again[0]] = seed
	}
	if len(traces) != fewSeeds {
		t.Errorf("%d seeds have %d traces", fewSeeds, len(traces))
	}
}

// TestSabotageIsNoticed breaks what the tree keeps, in ways that each concern one invariant.
func TestSabotageIsNoticed(t *testing.T) {
	for _, c := range []struct {
		sabotage sabotage
		want     []error
	}{
		{loseUnit, []error{errDecode, errLoss, errGap, errHeader}},
		{repeatUnit, []error{errOrder}},
		{deafTopic, []error{errGrace, errLeft}},
		{deafViewers, []error{errDeaf}},
		{stickyViewer, []error{errLeft}},
		{unseenHeader, []error{errHeader}},
		{headlessRelay, []error{errDeaf}},
	} {
		noticed := 0
		for seed := range uint64(fewSeeds) {
			w := simulate(t, seed, c.sabotage, nil)
			if w.broken == nil {
				continue
			}
			noticed++
			if !oneOf(w.broken, c.want) {
				t.Errorf("sabotage %d, seed %d: %v, want one of %v", c.sabotage, seed, w.broken, c.want)
			}
		}
		t.Logf("sabotage %d is noticed under %d of %d seeds", c.sabotage, noticed, fewSeeds)
		if noticed == 0 {
			t.Errorf("sabotage %d is not noticed", c.sabotage)
		}
	}
}

func oneOf(err error, of []error) bool {
	for _, e := range of {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
