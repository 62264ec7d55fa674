package main

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
)

// dependencyTable is where each dependency is listed with its version, licence and reason. Every
// row of a table there whose first cell is code names one: a module or a Debian or npm package.
const dependencyTable = "docs/dependencies.md"

// aptLists and npmManifest are where the dependencies that are no Go modules are declared.
const (
	aptLists    = "deploy/scripts"
	npmManifest = "cluster/control/web/package.json"
	npmLock     = "cluster/control/web/package-lock.json"
	npmCopy     = "cluster/control/web/player" // what others wrote, and nothing else
)

// need is one dependency that the tree declares. An empty version agrees with any.
type need struct {
	file    string
	line    int
	version string
}

type row struct {
	line    int
	version string
}

// checkDependencies holds the declared dependencies and their table to each other, both ways.
func checkDependencies(r *repo) []finding {
	found := checkLock(r)
	needs := directModules(r)
	maps.Copy(needs, aptPackages(r))
	maps.Copy(needs, npmPackages(r))
	if len(needs) == 0 {
		return found
	}
	rows := tableRows(r)
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		n := needs[name]
		have, ok := rows[name]
		switch {
		case !ok:
			found = append(found, finding{
				n.file, n.line, "dependency",
				name + " is not in " + dependencyTable + ": say why it is needed, or drop it",
			})
		case n.version != "" && n.version != have.version:
			found = append(found, finding{
				dependencyTable, have.line, "dependency",
				name + " is " + n.version + " in " + n.file + ", here " + have.version,
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		if _, ok := needs[name]; !ok {
			found = append(found, finding{
				dependencyTable, rows[name].line, "dependency",
				"nothing needs " + name + " any more: drop the row",
			})
		}
	}
	return found
}

// directModules returns the modules that our own packages import, those of the declared tools, and
// those that go.mod calls direct. Of modules below, which stand by themselves, it returns what they
// call direct.
func directModules(r *repo) map[string]need {
	used := map[string]bool{}
	for _, f := range r.files {
		if f.ast == nil || r.foreignModule(f) {
			continue
		}
		for _, spec := range f.ast.Imports {
			used[moduleOf(r, strings.Trim(spec.Path.Value, `"`))] = true
		}
	}
	for _, t := range r.mod.Tool {
		used[moduleOf(r, t.Path)] = true
	}
	needs := map[string]need{}
	for dir, mod := range r.below {
		for _, q := range mod.Require {
			if !q.Indirect {
				needs[q.Mod.Path] = need{
					path.Join(dir, "go.mod"), q.Syntax.Start.Line, q.Mod.Version,
				}
			}
		}
	}
	for _, q := range r.mod.Require {
		if used[q.Mod.Path] || !q.Indirect {
			needs[q.Mod.Path] = need{"go.mod", q.Syntax.Start.Line, q.Mod.Version}
		}
	}
	return needs
}

// moduleOf returns the required module that provides a package: the longest path that leads to it.
func moduleOf(r *repo, pkg string) string {
	best := ""
	for _, q := range r.mod.Require {
		if within(pkg, q.Mod.Path) && len(q.Mod.Path) > len(best) {
			best = q.Mod.Path
		}
	}
	return best
}

// aptPackages returns what the lists of Debian packages name.
func aptPackages(r *repo) map[string]need {
	needs := map[string]need{}
	for _, f := range r.files {
		if path.Ext(f.path) != ".apt" || !f.in(aptLists) {
			continue
		}
		for i, line := range f.lines {
			line, _, _ = strings.Cut(line, "#")
			if fields := strings.Fields(line); len(fields) > 0 {
				needs[fields[0]] = need{f.path, i + 1, ""}
			}
		}
	}
	return needs
}

// npmPackages returns the direct dependencies of the web page.
func npmPackages(r *repo) map[string]need {
	needs := map[string]need{}
	f := r.text[npmManifest]
	if f == nil {
		return needs
	}
	var manifest struct {
		Dependencies    map[string]string
		DevDependencies map[string]string
	}
	if err := json.Unmarshal([]byte(f.src), &manifest); err != nil {
		return needs
	}
	for _, deps := range []map[string]string{manifest.Dependencies, manifest.DevDependencies} {
		for name, version := range deps {
			needs[name] = need{npmManifest, lineOf(f, `"`+name+`"`), version}
		}
	}
	return needs
}

func lineOf(f *file, text string) int {
	for i, l := range f.lines {
		if strings.Contains(l, text) {
			return i + 1
		}
	}
	return 1
}

// checkLock keeps the addresses of one person's registry out of the lock file.
func checkLock(r *repo) []finding {
	f := r.text[npmLock]
	if f == nil {
		return nil
	}
	for i, l := range f.lines {
		if strings.Contains(l, `"resolved"`) {
			return []finding{{
				npmLock, i + 1, "lock",
				"run npm install with the .npmrc beside it: omit-lockfile-registry-resolved",
			}}
		}
	}
	return nil
}

// tableRows reads the rows of the table of dependencies: | `name` | version | ...
func tableRows(r *repo) map[string]row {
	rows := map[string]row{}
	f := r.text[dependencyTable]
	if f == nil {
		return rows
	}
	for i, l := range f.lines {
		cells := strings.Split(l, "|")
		if len(cells) < 4 || cells[0] != "" {
			continue
		}
		name := strings.TrimSpace(cells[1])
		if !strings.HasPrefix(name, "`") {
			continue
		}
		rows[strings.Trim(name, "`")] = row{i + 1, strings.TrimSpace(cells[2])}
	}
	return rows
}
