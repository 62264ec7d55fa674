// Command tidy holds the rules of this repository that a compiler does not: which layer may import
// which, where a goroutine may start, how long a function may grow, whether links and the table of
// dependencies still tell the truth. It reads the tree once, prints one line per finding and exits
// with 1 if there was any.
//
// Usage: go run ./cmd/tidy [DIR]
//
// There is no way to silence a finding at its place: a rule that needs exceptions is changed here.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// finding is one broken rule at one place, with what to do about it.
type finding struct {
	path string
	line int
	rule string
	mend string
}

// String is the form in which editors and people jump to a place.
func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.path, f.line, f.rule, f.mend)
}

// check returns every finding in the tree, ordered by place.
func check(fsys fs.FS) ([]finding, error) {
	r, err := load(fsys)
	if err != nil {
		return nil, err
	}
	found := checkLayout(r)
	for _, f := range r.files {
		if f.ast != nil {
			found = append(found, checkLaw(r, f)...)
			found = append(found, checkForm(f)...)
		}
		found = append(found, checkText(f)...)
	}
	found = append(found, checkLinks(r)...)
	found = append(found, checkDependencies(r)...)
	slices.SortStableFunc(found, func(a, b finding) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		return a.line - b.line
	})
	return found, nil
}

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	found, err := check(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(os.Stderr, "tidy:", err)
		os.Exit(2)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "tidy: %d to mend\n", len(found))
		os.Exit(1)
	}
}
