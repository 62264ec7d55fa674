package actors

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the drawing of the tree to where it is shown")

// Where the drawing is shown: by itself, and in a fenced block between two markers.
const (
	treeGolden   = "testdata/tree.golden"
	architecture = "../ARCHITECTURE.md"
	treeBegins   = "<!-- tree -->"
	treeEnds     = "<!-- /tree -->"
)

// TestTreeIsDrawn holds the drawing of the tree to what the tree declares: whoever changes the tree
// sees what he has changed, and so does who reads the document.
func TestTreeIsDrawn(t *testing.T) {
	var drawing bytes.Buffer
	if err := DrawDeclared(&drawing); err != nil {
		t.Fatal(err)
	}
	golden(t, treeGolden, drawing.String())

	document, err := os.ReadFile(architecture)
	if os.IsNotExist(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	before, shown, after, ok := cutBlock(string(document))
	if !ok {
		t.Fatalf("%s has no block between %s and %s", architecture, treeBegins, treeEnds)
	}
	want := "\n```text\n" + drawing.String() + "```\n"
	if *update && shown != want {
		write(t, architecture, before+want+after)
		return
	}
	if shown != want {
		t.Errorf("%s shows another tree; run go test ./actors -run TestTreeIsDrawn -update\n%s",
			architecture, shown)
	}
}

// cutBlock cuts a document at the markers, which stay with what is before and after.
func cutBlock(document string) (before, block, after string, ok bool) {
	before, rest, begins := strings.Cut(document, treeBegins)
	block, after, ends := strings.Cut(rest, treeEnds)
	return before + treeBegins, block, treeEnds + after, begins && ends
}

// golden compares a text with the file that holds what it should be.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run go test ./actors -run %s -update\ngot\n%swant\n%s",
			path, t.Name(), got, want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
