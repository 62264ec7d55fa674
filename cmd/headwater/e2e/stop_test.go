package e2e

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// TestGracefulStop stops a node that streams. Everyone is told, everything is delivered whole, and
// the process ends well.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	units := film.get(t)
	n := launchNode(t, "--demo", "--stop.deadline", "5s")
	p := publish(t, n, "show")
	p.feed(t, units)
	byRTMP, byHTTP := watchRTMP(t, n, "show"), watchFLV(t, n, "show")
	waiting := watchRTMP(t, n, "never")
	byRTMP.awaitUnits(t, 100)
	byHTTP.awaitUnits(t, 100)
	await(t, "the third viewer waits", func() bool { return n.metric(t, "headwater_viewers") == 3 })
	n.signal(t, syscall.SIGTERM)
	awaitFor(t, stopWithin, "the node has stopped", func() bool { return over(n.ended) })
	if n.exitCode() != 0 || n.stderr.has("level=ERROR") || n.stderr.has("panic") {
		t.Errorf("exit code %d", n.exitCode())
	}
	for _, v := range []*viewer{byRTMP, byHTTP, waiting} {
		ends(t, v.name, v.ended)
		t.Logf("%s: %q, %v", v.name, v.words, v.err)
	}
	for _, v := range []*viewer{byRTMP, waiting} {
		if !v.heard("NetStream.Play.Stop: the node is draining") || !errors.Is(v.err, io.EOF) {
			t.Errorf("%s is told %q, %v", v.name, v.words, v.err)
		}
	}
	if !errors.Is(byHTTP.err, io.EOF) { // between two tags
		t.Errorf("%s: %v", byHTTP.name, byHTTP.err)
	}
	ends(t, "the publisher", p.ended)
	p.halt()
	var status *rtmp.StatusError
	if !errors.As(p.err, &status) {
		t.Errorf("the publisher is told %v", p.err)
	}
	for _, v := range []*viewer{byRTMP, byHTTP} {
		checkLedger(t, v.name, p.ledger(), v.got())
	}
	if conn, err := net.Dial("tcp", n.rtmp); err == nil {
		conn.Close()
		t.Error("somebody still listens")
	}
}

// stopWithin is the node's own deadline and a process's end.
const stopWithin = 10 * time.Second

// TestSecondSignal stops a node at once.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	n := launchNode(t)
	n.signal(t, syscall.SIGTERM)
	n.signal(t, syscall.SIGTERM)
	ends(t, "the node", n.ended)
	if code := n.exitCode(); code != 0 && code != 1 {
		t.Errorf("exit code %d", code)
	}
}

// TestBuildInfo asks a node what its kernels run on, in the log and by /metrics.
func TestBuildInfo(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	out, err := exec.Command(headwater, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, kernels, _ := strings.Cut(strings.TrimSpace(string(out)), "\nkernels ")
	cpu, digest, _ := strings.Cut(kernels, " ")
	if cpu == "" {
		t.Fatalf("headwater version says %s", out)
	}
	if !n.stderr.has("level=INFO", "msg=kernels", "cpu="+cpu+" ", "digest="+digest) {
		t.Errorf("the log does not tell of the kernels: %s", kernels)
	}
	labels := []string{
		`cpu_level="` + cpu + `"`, `kernels="` + digest + `"`, `go_version="go1.`, `version="`,
		`commit="`,
	}
	if got := n.metric(t, "headwater_build_info", labels...); got != 1 {
		t.Errorf("headwater_build_info is %v", got)
	}
}

// TestCommands runs every command of the binary.
func TestCommands(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	p := publish(t, n, "show")
	p.feed(t, film.get(t))
	v := watchFLV(t, n, "show")
	v.awaitUnits(t, 10)

	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for path, text := range map[string]string{
		good: "publish:\n  grace: 10s\nviewer:\n  wait: 5s\n", bad: "publish:\n  grase: 10s\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		want []string
	}{
		{"version", 0, []string{"headwater ", "go1.", "\nkernels "}},
		{"--help", 0, []string{"run", "validate", "tree", "version"}},
		{"run --help", 0, []string{"--rtmp.listen", "--demo"}},
		{"validate " + good, 0, []string{"good.yaml: ok"}},
		{"validate " + bad, 2, []string{"bad.yaml:2: unknown key publish.grase", "publish.grace"}},
		{"tree --declared", 0, []string{"[node]", "(viewer/ID)", "(ingest)", "rest-for-one"}},
		{"tree --url http://" + n.http, 0, []string{
			"[broadcast/live/show.1]", "(topic/source)", "(ingest)", "[edge/live/show]", "(viewer/1)",
		}},
		{"tree --all --url http://" + n.http, 0, []string{"(relay)", "running"}},
		{"tree --url http://127.0.0.1:1", 1, []string{"is a node running there?"}},
		{"run --rtmp.listen " + n.rtmp, 1, []string{"rtmp.listen", "address already in use"}},
		{"run --config " + bad, 2, []string{"unknown key publish.grase"}},
		{"walk", 2, []string{"unexpected argument walk", "--help"}},
	} {
		cmd := exec.Command(headwater, strings.Fields(c.args)...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code {
			t.Errorf("headwater %s: exit code %d, want %d\n%s", c.args, code, c.code, out)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("headwater %s: no %q in\n%s", c.args, want, out)
			}
		}
	}
}
