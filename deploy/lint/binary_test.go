package lint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// deploy is the directory that is held to its readers.
const deploy = ".."

// headwater is the path of the binary, which TestMain builds.
var headwater string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "headwater-lint-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	headwater = filepath.Join(dir, "headwater")
	build := exec.Command("go", "build", "-C", filepath.Join(deploy, ".."), "-trimpath",
		"-o", headwater, "./cmd/headwater")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// read returns a file in deploy.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// files are those in deploy that tell a node or its surroundings something.
func files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{
		"Dockerfile", "*.yaml", "systemd/*", "kubernetes/*.yaml", "kubernetes/*/*.yaml", "README.md",
	} {
		names, err := filepath.Glob(filepath.Join(deploy, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			name, _ = filepath.Rel(deploy, name)
			all[name] = read(t, name)
		}
	}
	return all
}

// startNode runs a node on free ports until the test ends, and returns where it is by HTTP.
func startNode(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(headwater, "run", "--rtmp.listen", "127.0.0.1:0",
		"--http.listen", "127.0.0.1:0", "--log.level", "error")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "watch"); ok {
			return strings.TrimSuffix(strings.TrimSpace(at), "/")
		}
	}
	t.Fatal("the node does not say where it is")
	return ""
}

// get asks a node until it answers.
func get(t *testing.T, url string) string {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := ask(url)
		if err == nil {
			return text
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: %v", url, err)
		}
	}
}

func ask(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", errors.New(response.Status)
	}
	text, err := io.ReadAll(response.Body)
	return string(text), err
}
