package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// asTool makes the test binary be the tool, which starts itself again in other roles.
const asTool = "HEADWATER_FANOUT_TEST_TOOL"

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestSmoke measures the bare server with two viewers of each protocol, in namespaces.
func TestSmoke(t *testing.T) {
	for _, merge := range []string{"0s", "20ms"} {
		t.Run(merge, func(t *testing.T) {
			t.Parallel()
			checkSmoke(t, smoke(t, "-servers", "bare", "-viewers", "2", "-merge", merge,
				"-duration", "1s", "-warmup", "100ms", "-settle", "1100ms", "-joins", "5",
				"-crowd", "5", "-broadcasts", "2"))
		})
	}
}

// smoke runs the tool and returns its figures.
func smoke(t *testing.T, args ...string) results {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "figures.json")
	cmd := exec.CommandContext(t.Context(), self, append(args, "-json", file)...)
	cmd.Env = append(os.Environ(), asTool+"=1")
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func checkSmoke(t *testing.T, r results) {
	t.Helper()
	if len(r.Samples) != 2 || len(r.Crowds) != 2 {
		t.Fatalf("%d samples and %d crowds, want 2 and 2", len(r.Samples), len(r.Crowds))
	}
	for _, s := range r.Samples {
		if s.Gaps+s.Back+s.Foreign+s.Lost+int64(s.JoinsFailed) > 0 || s.Error != "" {
			t.Errorf("not complete: %s", s.line())
		}
		if s.Units == 0 || s.Bytes == 0 || s.ServerCPU <= 0 || s.Delay.N == 0 || s.Join.N != 5 {
			t.Errorf("%v: a figure is missing: %+v", s.subject, s)
		}
	}
	for _, c := range r.Crowds {
		if c.Failed > 0 || c.Join.N != 5 || c.AcceptSeconds <= 0 || c.ServerCPU <= 0 {
			t.Errorf("%v: %+v", c.subject, c)
		}
	}
}
