package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A document's commands stand in fenced blocks of the language sh. A test runs each to its end,
// which has to be good. A word behind the language asks for something else:
//
//	```sh node  starts a node and leaves it running for the blocks that follow
//	```sh more  starts another node beside it
//	```sh read  only reads it: it needs what a test has not, such as another machine
//
// A document's blocks run one after the other in one folder and one network of their own, in which
// all ports are free, with the binary under test as headwater and as bin/headwater. A node with its
// demo runs there until a block starts another. make only tells what it would do.
type block struct {
	file string
	line int
	what string // run, node, more or read
	text string
}

// blocks finds the commands of a document.
func blocks(file, text string) ([]block, error) {
	var found []block
	var open *block
	for i, line := range strings.Split(text, "\n") {
		fence, ok := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case open != nil && ok:
			if open.what != "" {
				found = append(found, *open)
			}
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, "$ ") + "\n"
		case ok:
			language, what, _ := strings.Cut(fence, " ")
			open = &block{file: file, line: i + 1}
			switch {
			case language != "sh":
			case what == "":
				open.what = "run"
			case what == "node" || what == "more" || what == "read":
				open.what = what
			default:
				return nil, fmt.Errorf("%s:%d: what is %q? node, more and read are known", file, i+1, what)
			}
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: the block does not end", file, open.line)
	}
	return found, nil
}

// bench is where a document's blocks run: a folder and a network of its own.
type bench struct {
	dir    string
	holder *process // keeps the network
	nodes  []*process
}

func newBench(t *testing.T) *bench {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(headwater, filepath.Join(bin, "headwater")); err != nil {
		t.Fatal(err)
	}
	dryMake := "#!/bin/sh\nexec /usr/bin/make --dry-run --directory '" + root + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "make"), []byte(dryMake), 0o700); err != nil {
		t.Fatal(err)
	}
	args := slices.Concat(pattern("320x180"), encoding(), []string{"-t", "2", dir + "/show.mp4"})
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	own := []string{"--net"}
	if os.Getuid() != 0 {
		own = append(own, "--map-root-user")
	}
	inside := "ip link set lo up && echo up && exec sleep infinity"
	b := &bench{dir: dir, holder: start(t, "unshare", append(own, "sh", "-c", inside)...)}
	await(t, "there is a network", func() bool {
		return b.holder.stdout.has("up") || over(b.holder.ended)
	})
	return b
}

// shell is the command line of a script inside.
func (b *bench) shell(script string) []string {
	enter := []string{"--net", "--target", fmt.Sprint(b.holder.cmd.Process.Pid)}
	if os.Getuid() != 0 {
		enter = append(enter, "--user", "--preserve-credentials")
	}
	setup := "set -euo pipefail; cd '" + b.dir + "'; PATH=\"$PWD/bin:$PATH\"\n"
	return append(enter, "bash", "-c", setup+script)
}

// run does with a block what it asks for.
func (b *bench) run(t *testing.T, block block) {
	t.Helper()
	where := fmt.Sprintf("%s:%d", block.file, block.line)
	switch block.what {
	case "read":
		if out, err := exec.Command("bash", "-n", "-c", block.text).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", where, err, out)
		}
	case "run":
		p := start(t, "nsenter", b.shell(block.text)...)
		if wrote := finish(t, p); p.err != nil {
			t.Errorf("%s: %v\n%s\n%s", where, p.err, block.text, last(wrote))
		}
	case "node":
		b.stop(t)
		b.begin(t, where, block.text)
	case "more":
		b.begin(t, where, block.text)
	}
}

// begin starts a node.
func (b *bench) begin(t *testing.T, where, text string) {
	t.Helper()
	node := start(t, "nsenter", b.shell("exec "+strings.TrimSpace(text))...)
	await(t, where+": the node is up", func() bool {
		return node.stdout.has("stop", "Ctrl-C") || over(node.ended)
	})
	if over(node.ended) {
		t.Errorf("%s: the node ended: %v\n%s", where, node.err, &node.stderr)
	}
	b.nodes = append(b.nodes, node)
}

// stop stops the nodes that run, the last first: the others may depend on the first.
func (b *bench) stop(t *testing.T) {
	t.Helper()
	for _, node := range slices.Backward(b.nodes) {
		if !over(node.ended) {
			node.signal(t, syscall.SIGTERM)
			finish(t, node)
		}
	}
	b.nodes = nil
}

// documents are the documents whose commands are held to be true.
func documents() []string {
	return []string{"testdata/commands.md", "../../../README.md", "../../../docs/operating.md"}
}

// TestDocuments runs every command that the documents show.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, path := range documents() {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all, err := blocks(path, string(text))
			if err != nil {
				t.Fatal(err)
			}
			if len(all) == 0 {
				t.Fatal("the document shows no command")
			}
			b := newBench(t)
			b.run(t, block{file: path, what: "node", text: "headwater run --demo"})
			for _, block := range all {
				b.run(t, block)
			}
			b.stop(t)
			t.Logf("%s: %d blocks", path, len(all))
		})
	}
}

// TestBlocks holds the reader of documents to its rules.
func TestBlocks(t *testing.T) {
	t.Parallel()
	got, err := blocks("x.md",
		"a\n```sh\n$ one\ntwo\n```\n```go\nthree\n```\n  ```sh read\nfour\n  ```\n")
	want := []block{{"x.md", 2, "run", "one\ntwo\n"}, {"x.md", 9, "read", "four\n"}}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"```sh walk\none\n```\n", "```sh\none\n"} {
		if got, err := blocks("x.md", bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}
