package main

import (
	"path"
	"regexp"
	"strings"
)

var (
	inlineLink = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)
	namedLink  = regexp.MustCompile(`^\[[^\]]+\]:\s+<?([^\s>]+)`)
	codeSpan   = regexp.MustCompile("`[^`]*`")
	scheme     = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)
	heading    = regexp.MustCompile(`^#{1,6}\s+(.+?)\s*#*$`)
	anchorDrop = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// checkLinks follows every link of every Markdown file that points into the tree.
func checkLinks(r *repo) []finding {
	var found []finding
	for _, f := range r.files {
		if path.Ext(f.path) != ".md" {
			continue
		}
		open := false
		for i, line := range f.lines {
			if fenceMark(line) {
				open = !open
			}
			if open {
				continue
			}
			for _, target := range linksOf(line) {
				if mend := broken(r, f.path, target); mend != "" {
					found = append(found, finding{f.path, i + 1, "link", mend})
				}
			}
		}
	}
	return found
}

// linksOf returns the targets of one line that are not addresses elsewhere.
func linksOf(line string) []string {
	line = codeSpan.ReplaceAllString(line, "")
	matches := inlineLink.FindAllStringSubmatch(line, -1)
	matches = append(matches, namedLink.FindAllStringSubmatch(line, -1)...)
	var out []string
	for _, m := range matches {
		if !scheme.MatchString(m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// broken tells what is wrong with a link in the file from, or nothing.
func broken(r *repo, from, target string) string {
	p, anchor, _ := strings.Cut(target, "#")
	full := from
	switch {
	case strings.HasPrefix(p, "/"):
		full = path.Clean(p[1:])
	case p != "":
		full = path.Join(path.Dir(from), p)
	}
	if !r.paths[full] {
		return target + " leads nowhere: there is no " + full
	}
	doc := r.text[full]
	if anchor == "" || doc == nil || path.Ext(full) != ".md" {
		return ""
	}
	if !anchors(doc)[anchor] {
		return "#" + anchor + " is no heading of " + full
	}
	return ""
}

// anchors returns the names that GitHub gives a document's headings.
func anchors(doc *file) map[string]bool {
	names := map[string]bool{}
	open := false
	for _, line := range doc.lines {
		if fenceMark(line) {
			open = !open
		}
		m := heading.FindStringSubmatch(line)
		if open || m == nil {
			continue
		}
		text := linkText.ReplaceAllString(m[1], "$1")
		name := anchorDrop.ReplaceAllString(strings.ToLower(text), "")
		names[strings.ReplaceAll(name, " ", "-")] = true
	}
	return names
}
