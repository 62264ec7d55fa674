// Package e2e tests the real binary from outside: a process on loopback ports, published to and
// watched by real ffmpeg, by a real browser, and by clients that keep account of every byte.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// headwater is the path of the headwater that the tests run. TestMain builds it.
var headwater string

// together is how many tests run at once: they wait far more than they compute.
const together = 6

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// run builds the binary and runs the tests. HEADWATER_E2E_BUILD has flags for the build, -race for
// example.
func run(m *testing.M) (int, error) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", fmt.Sprint(together)); err != nil {
			return 1, err
		}
	}
	sweepLabs()
	dir, err := os.MkdirTemp("", "headwater-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	headwater = filepath.Join(dir, "headwater")
	args := append([]string{"build", "-o", headwater},
		strings.Fields(os.Getenv("HEADWATER_E2E_BUILD"))...)
	build := exec.Command("go", append(args, "..")...)
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// patience is how long a test waits for what must happen. It is no measurement: what is waited for
// takes far less, and only a test that fails waits so long.
const patience = 30 * time.Second

// await polls until met returns true.
func await(t *testing.T, what string, met func() bool) {
	t.Helper()
	awaitFor(t, patience, what, met)
}

func awaitFor(t *testing.T, limit time.Duration, what string, met func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %v still not: %s", limit, what)
		}
	}
}

// ends waits for a channel to be closed.
func ends(t *testing.T, what string, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("after %v not ended: %s", patience, what)
	}
}

// over tells whether a channel is closed by now.
func over(ended <-chan struct{}) bool {
	select {
	case <-ended:
		return true
	default:
		return false
	}
}
