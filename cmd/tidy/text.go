package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// banned is what a comment says when work is left behind.
var banned = regexp.MustCompile(`(?i)\b(todo|fixme|stub|placeholder|not implemented|for now)\b`)

// checkText holds the columns of every text file, and the words of every comment.
func checkText(f *file) []finding {
	if f.generated || path.Ext(f.path) == ".json" || f.path == "go.mod" {
		return nil
	}
	var found []finding
	for i, line := range f.lines {
		if n := utf8.RuneCountInString(line); n > columnsMax && !mayBeLong(f, i) {
			found = append(found, finding{f.path, i + 1, "columns", fmt.Sprintf(
				"%d columns, at most %d: wrap it", n, columnsMax)})
		}
	}
	for _, c := range comments(f) {
		if word := banned.FindString(c.text); word != "" {
			found = append(found, finding{f.path, c.line, "words", fmt.Sprintf(
				"%q: do it, open an issue, or say what holds today", strings.ToLower(word))})
		}
	}
	return found
}

// mayBeLong exempts what cannot be wrapped: addresses, tables, commands in fences, directives.
func mayBeLong(f *file, i int) bool {
	line := strings.TrimSpace(f.lines[i])
	if strings.Contains(line, "://") || strings.HasPrefix(line, "//go:") {
		return true
	}
	if path.Ext(f.path) != ".md" {
		return false
	}
	return strings.HasPrefix(line, "|") || fenced(f.lines[:i])
}

// fenced tells whether the line after these stands inside a Markdown code fence.
func fenced(before []string) bool {
	open := false
	for _, l := range before {
		if fenceMark(l) {
			open = !open
		}
	}
	return open
}

func fenceMark(line string) bool {
	return strings.HasPrefix(strings.TrimSpace(line), "```")
}

type comment struct {
	line int
	text string
}

// comments returns a file's comments, a line each. Go's come from the parser; the others are found
// by how a line begins, or by a marker that has a space before it.
func comments(f *file) []comment {
	var out []comment
	if f.ast != nil {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				first := f.fset.Position(c.Pos()).Line
				for i, l := range strings.Split(c.Text, "\n") {
					out = append(out, comment{first + i, l})
				}
			}
		}
		return out
	}
	marker := commentMarker(f.path)
	if marker == nil {
		return nil
	}
	for i, l := range f.lines {
		if at := marker.FindStringIndex(l); at != nil {
			out = append(out, comment{i + 1, l[at[1]:]})
		}
	}
	return out
}

var (
	hashComment  = regexp.MustCompile(`(^|\s)#`)
	slashComment = regexp.MustCompile(`(^|\s)(//|/\*|\*\s)`)
	angleComment = regexp.MustCompile(`<!--`)
)

func commentMarker(p string) *regexp.Regexp {
	switch path.Ext(p) {
	case ".sh", ".yml", ".yaml", ".apt", ".mk", "":
		return hashComment
	case ".js", ".css", ".proto", ".c", ".h", ".cc", ".cpp":
		return slashComment
	case ".html":
		return angleComment
	}
	return nil
}
