package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/cluster/control"
	"github.com/headwater-live/headwater/cmd/headwater/config"
	"github.com/headwater-live/headwater/halide"
)

var update = flag.Bool("update", false, "write the golden files again")

// outcome is what a command line leads to.
type outcome struct {
	code           int
	stdout, stderr string
}

// command runs a command line with parts that a test gives.
func command(parts Parts, env map[string]string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	lookup := func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
	code := Main(args, lookup, &stdout, &stderr, parts)
	return outcome{code, stdout.String(), stderr.String()}
}

// TestHelp pins the help of the program and of each command.
func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	for _, name := range []string{
		"", "run", "validate", "tree", "blur", "mute", "policy", "nodes", "ls", "placement", "drain",
		"version",
	} {
		args := append(strings.Fields(name), "--help")
		got := command(Parts{}, nil, args...)
		if got.code != exitOK || got.stderr != "" {
			t.Errorf("%v: %+v", args, got)
		}
		if name != "" && !strings.Contains(got.stdout, "Example:\n\n    headwater "+name) {
			t.Errorf("%v: no example", args)
		}
		path := filepath.Join("testdata", "help"+name+".txt")
		if *update {
			if err := os.WriteFile(path, []byte(got.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.stdout != string(want) {
			t.Errorf("%s differs; see go test -update and git diff. Got:\n%s", path, got.stdout)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(file, []byte("publish:\n  grase: 1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want string
	}{
		{"", `headwater: expected one of "run", "validate", "tree", "blur", "mute", `},
		{"", `Run "headwater --help" for help.`},
		{"watch", "headwater: unexpected argument watch"},
		{"run --viewer.max-behnd=1s", "headwater: unknown flag --viewer.max-behnd"},
		{"run --viewer.max-behnd=1s", `Run "headwater run --help" for help.`},
		{"run --viewer.send-buffer=2ft", "--viewer.send-buffer: 2ft is not a size; try 256KiB"},
		{"run --viewer.max-skips=x", "--viewer.max-skips: expected a valid 64 bit int"},
		{"run --publish.grace=9h", "--publish.grace: 9h is out of range; allowed: 0s to 1h"},
		{"run --publish.policy=x", "--publish.policy: x is none of takeover, reject"},
		{"run --rtmp.listen=", "rtmp.listen: is empty, and so is rtmp.tls-listen"},
		{"run --config=" + file, file + ":2: unknown key publish.grase; the nearest is publish"},
		{"run --config=/none", "headwater: open /none: no such file or directory"},
		{"run --config", "headwater: --config: expected string value"},
		{"validate", `headwater: expected "<file>"`},
		{"validate " + file, file + ":2: unknown key publish.grase; the nearest is publish.grace"},
		{"validate a b", "headwater: unexpected argument b"},
		{"tree --url=here", `--url: "here" is not like http://127.0.0.1:8080`},
		{"blur", `headwater: expected "<key>"`},
		{"blur live/a", "headwater: want a --rect, or --off"},
		{"blur live/a --off --rect=0,0,1,1", "headwater: --off and --rect: which of them?"},
		{"blur live/a --rect=0,0,1", `"0,0,1" is no rectangle; want X,Y,W,H`},
		{"blur live/a --rect=0,0,1,2", `"2" is not a number from 0 to 1`},
		{"blur live/a --rect=0,NaN,1,1", `"NaN" is not a number from 0 to 1`},
		{"blur live/a --rect=-1,0,1,1", `"-1" is not a number from 0 to 1`},
		{"blur live/a --off --mode=fog", "--mode must be one of"},
		{"blur mine --off", "headwater: mine: not a broadcast key: want app/name"},
		{"blur live/../a --off", "headwater: live/../a: not a broadcast key"},
		{"blur live/a --off --url=here", `--url: "here" is not like http://127.0.0.1:8080`},
		{"mute live/a!b", "not a broadcast key"},
		{"policy live/a", "--always"},
		{"placement mine", "headwater: mine: not a broadcast key"},
		{"drain a --off --wait", "headwater: --off and --wait: which of them?"},
		{"drain a --off --move", "headwater: --off and --move: which of them?"},
		{"nodes --url=here", `--url: "here" is not like http://127.0.0.1:8080`},
		{"policy live/a --always --when-asked", "can't be used together"},
		{"tree --url=ftp://a", `--url: "ftp://a" is not like http://127.0.0.1:8080`},
	} {
		got := command(Parts{}, nil, strings.Fields(c.args)...)
		if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%q: %+v\nwant code %d and %q", c.args, got, exitUsage, c.want)
		}
	}
}

func TestValidateCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(file, []byte("publish:\n  grace: 1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HEADWATER_LOG_LEVEL": "loud"}
	got := command(Parts{}, env, "validate", file)
	if got != (outcome{exitOK, file + ": ok\n", ""}) {
		t.Errorf("%+v", got)
	}
}

// TestRunMerges gives a setting by each source, and the switches of run.
func TestRunMerges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.yaml")
	text := "node: {name: file}\nviewer: {max-skips: 1}\ntopic: {time: 20s}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"HEADWATER_VIEWER_MAX_SKIPS": "2", "HEADWATER_NODE_NAME": "env",
		"HEADWATER_LOG_FORMAT": "json", "HEADWATER_LOG_LEVEL": "debug",
	}
	var cfg config.Config
	run := func(_ context.Context, c config.Config, log *slog.Logger, demo bool, out io.Writer) error {
		cfg = c
		log.Debug("hello")
		_, err := fmt.Fprintln(out, "demo", demo)
		return err
	}
	got := command(Parts{Run: run}, env,
		"run", "--config", file, "--viewer.max-skips=3", "--demo", "--limits.message", "1MiB",
		"--no-processing.loudness", "--processing.hybrid")
	if got.code != exitOK || got.stdout != "demo true\n" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(got.stderr, `"level":"DEBUG","msg":"hello"`) {
		t.Errorf("log is %q", got.stderr)
	}
	want := config.Default()
	want.Node.Name, want.Viewer.MaxSkips, want.Limits.Message = "env", 3, 1<<20
	want.Processing.Loudness, want.Processing.Hybrid = false, true
	want.Log, want.Topic.Time = config.Log{Level: "debug", Format: "json"}, 20e9
	if cfg != want {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

func TestRunExitCodes(t *testing.T) {
	broken := errors.New("listen :1935: taken")
	for _, c := range []struct {
		name string
		run  Runner
		code int
		want string
	}{
		{"ends well", runner(func() error { return nil }), exitOK, ""},
		{
			"fails", runner(func() error { return broken }), exitFailed,
			"headwater: listen :1935: taken\n",
		},
		{
			"spent", runner(func() error { return fmt.Errorf("node: %w: 5 failures", errSpent) }),
			exitSpent, "headwater: node: the supervision tree is spent: 5 failures\n",
		},
		{
			"panics", runner(func() error { panic("oh") }), exitFailed,
			"headwater: goroutine node panicked: oh\n",
		},
	} {
		got := command(Parts{Run: c.run}, nil, "run")
		if got.code != c.code || !strings.HasPrefix(got.stderr, c.want) {
			t.Errorf("%s: %+v, want code %d and %q", c.name, got, c.code, c.want)
		}
	}
}

func runner(fn func() error) Runner {
	return func(context.Context, config.Config, *slog.Logger, bool, io.Writer) error { return fn() }
}

func TestTreeCommand(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/debug/tree" {
			http.Error(w, "no such page", http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, "[node] %s\n", r.URL.RawQuery)
	}))
	declared := func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "[node]  rest-for-one")
		return err
	}
	for _, c := range []struct {
		args []string
		want outcome
	}{
		{[]string{"--url", node.URL}, outcome{exitOK, "[node] \n", ""}},
		{[]string{"--url", node.URL + "/", "--all"}, outcome{exitOK, "[node] all=1\n", ""}},
		{[]string{"--declared"}, outcome{exitOK, "[node]  rest-for-one\n", ""}},
		{[]string{"--url", node.URL + "/x"}, outcome{
			exitFailed, "", "headwater: get " + node.URL +
				"/x/debug/tree: 404 Not Found: no such page\n",
		}},
	} {
		args := append([]string{"tree"}, c.args...)
		if got := command(Parts{Declared: declared}, nil, args...); got != c.want {
			t.Errorf("%v: %+v, want %+v", args, got, c.want)
		}
	}
	node.Close()
	got := command(Parts{}, nil, "tree", "--url", node.URL)
	if got.code != exitFailed || !strings.Contains(got.stderr, "is a node running there?") {
		t.Errorf("with no node: %+v", got)
	}
}

func TestVersion(t *testing.T) {
	if got := command(Parts{}, nil, "version"); got.code != exitOK ||
		!strings.HasPrefix(got.stdout, "headwater ") ||
		!strings.HasSuffix(got.stdout, "\n"+kernelsOf(halide.Info())+"\n") {
		t.Errorf("%+v", got)
	}
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.modified", Value: "true"},
	}}
	info.Main.Version = "v1.2.3"
	got := versionOf(info)
	if !strings.HasPrefix(got, "headwater v1.2.3 (commit 0123abc, changed since) go1.26.8 ") {
		t.Error(got)
	}
	build := buildOf(info, halide.Build{CPU: "x86-64-v4", Kernels: "abc"})
	want := control.Build{
		Version: "v1.2.3", Commit: "0123abc", Go: "go1.26.8", CPULevel: "x86-64-v4", Kernels: "abc",
	}
	if build != want {
		t.Errorf("%+v", build)
	}
	if got := kernelsOf(halide.Build{CPU: "go"}); got != "kernels go" {
		t.Error(got)
	}
	if got := versionOf(&debug.BuildInfo{}); !strings.Contains(got, "(devel) (commit unknown)") {
		t.Error(got)
	}
}
