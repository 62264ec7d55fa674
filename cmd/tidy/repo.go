package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// repo is the tree as the checks see it: every text file that people write, read once.
type repo struct {
	mod   *modfile.File
	below map[string]*modfile.File // modules of their own, by folder
	paths map[string]bool          // every file and folder, also those whose text is not read
	files []*file
	text  map[string]*file // by path
}

// file is one text file. ast is nil unless it is Go.
type file struct {
	path      string
	src       string
	lines     []string
	fset      *token.FileSet
	ast       *ast.File
	generated bool
}

func (f *file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f *file) in(dir string) bool { return within(path.Dir(f.path), dir) }

// within tells whether dir is root or lies below it.
func within(dir, root string) bool {
	return dir == root || strings.HasPrefix(dir, root+"/")
}

// at makes a finding at a position of a Go file.
func (f *file) at(p token.Pos, rule, mend string) finding {
	return finding{f.path, f.fset.Position(p).Line, rule, mend}
}

// skipDir names the folders whose content nobody here writes or reads as source.
func skipDir(p string) bool {
	name := path.Base(p)
	switch name {
	case "testdata", "node_modules":
		return true
	case ".", ".ci":
		return false
	}
	return p == npmCopy || strings.HasPrefix(name, ".")
}

// halideHeader is Halide's own header, unchanged: the kernels beside it are built against it.
const halideHeader = "halide/internal/kernels/HalideRuntime.h"

// foreign tells whether a source file was written by others and is kept as they wrote it.
func foreign(p string) bool { return p == halideHeader }

var generatedMark = regexp.MustCompile(`^// Code generated .* DO NOT EDIT\.$`)

// generatedC tells whether a C file's first line says that a program wrote it. What Go files say is
// for go/ast to find.
func generatedC(f *file) bool {
	switch path.Ext(f.path) {
	case ".c", ".h", ".cc", ".cpp":
		return generatedMark.MatchString(f.lines[0])
	}
	return false
}

// readable tells whether a file is text that the checks read.
func readable(p string) bool {
	switch path.Ext(p) {
	case ".go", ".md", ".sh", ".js", ".css", ".html", ".yml", ".yaml", ".proto", ".apt", ".mk",
		".c", ".h", ".cc", ".cpp", ".json":
		return true
	}
	return path.Base(p) == "go.mod" || slices.Contains([]string{"Makefile", ".ci/run"}, p)
}

func load(fsys fs.FS) (*repo, error) {
	r := &repo{
		below: map[string]*modfile.File{}, paths: map[string]bool{}, text: map[string]*file{},
	}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && skipDir(p) {
			r.paths[p] = true
			return fs.SkipDir
		}
		r.paths[p] = true
		if d.IsDir() || !readable(p) {
			return nil
		}
		return r.read(fsys, p)
	})
	if err != nil {
		return nil, err
	}
	mod := r.text["go.mod"]
	if mod == nil {
		return nil, fmt.Errorf("no go.mod here: run tidy at the top of the repository")
	}
	if r.mod, err = modfile.Parse("go.mod", []byte(mod.src), nil); err != nil {
		return nil, err
	}
	for p, f := range r.text {
		if path.Base(p) == "go.mod" && f != mod {
			if r.below[path.Dir(p)], err = modfile.Parse(p, []byte(f.src), nil); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// foreignModule tells whether a file is of a module below.
func (r *repo) foreignModule(f *file) bool {
	for dir := range r.below {
		if f.in(dir) {
			return true
		}
	}
	return false
}

func (r *repo) read(fsys fs.FS, p string) error {
	src, err := fs.ReadFile(fsys, p)
	if err != nil {
		return err
	}
	f := &file{path: p, src: string(src)}
	f.lines = strings.Split(strings.TrimSuffix(f.src, "\n"), "\n")
	f.generated = foreign(p) || generatedC(f)
	if path.Ext(p) == ".go" {
		f.fset = token.NewFileSet()
		f.ast, err = parser.ParseFile(f.fset, p, src, parser.ParseComments)
		if err != nil {
			return err
		}
		f.generated = f.generated || ast.IsGenerated(f.ast)
	}
	r.files = append(r.files, f)
	r.text[p] = f
	return nil
}

// top is everything that may stand at the top of the repository, dotfiles and the outputs that
// .gitignore names apart.
var top = [...]string{
	"actors", "codec", "halide", "cluster", "cmd", "docs", "deploy",
	"go.mod", "go.sum", "Makefile", "README.md", "ARCHITECTURE.md", "bin",
}

func checkLayout(r *repo) []finding {
	var found []finding
	for p := range r.paths {
		if strings.ContainsRune(p, '/') || strings.HasPrefix(p, ".") ||
			slices.Contains(top[:], p) ||
			slices.Contains([]string{".test", ".prof", ".out"}, path.Ext(p)) {
			continue
		}
		found = append(found, finding{
			p, 1, "layout",
			"the top level is fixed; move it below one of " + strings.Join(top[:7], ", "),
		})
	}
	return found
}
