package lint

import (
	"debug/elf"
	"regexp"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages parses the Dockerfile as Docker does, and fails for each warning of its linter.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	parsed, err := parser.Parse(strings.NewReader(read(t, "Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parsed.Warnings {
		t.Errorf("Dockerfile: %s", w.Short)
	}
	warn := func(rule, description, _, message string, at []parser.Range) {
		t.Errorf("Dockerfile:%d: %s: %s %s", at[0].Start.Line, rule, description, message)
	}
	all, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{Warn: warn}))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestDockerfile holds the image to be small and without rights, and to have what the binary loads.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	all := stages(t)
	for _, s := range all {
		if _, tag, found := strings.Cut(s.BaseName, ":"); !found || tag == "latest" {
			t.Errorf("%s may be another image tomorrow", s.BaseName)
		}
	}
	last := all[len(all)-1]
	var user string
	var healthy bool
	var installed strings.Builder
	for _, c := range last.Commands {
		switch c := c.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.HealthCheckCommand:
			healthy = c.Health.Test[0] == "CMD" && c.Health.Interval > 0
		case *instructions.RunCommand:
			installed.WriteString(strings.Join(c.CmdLine, " ") + " ")
		case *instructions.AddCommand:
			t.Errorf("%s: COPY is enough", c)
		}
	}
	if user == "" || user == "root" || strings.HasPrefix(user, "0") {
		t.Errorf("it runs as %q", user)
	}
	if !healthy {
		t.Error("there is no health check")
	}
	checkLibraries(t, installed.String())
}

// checkLibraries holds what is installed to the libraries that the binary loads, version by
// version, and that to nothing else: libavcodec.so.59 is in the package libavcodec59.
func checkLibraries(t *testing.T, installed string) {
	t.Helper()
	binary, err := elf.Open(headwater)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	libraries, err := binary.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	needed := map[string]bool{}
	for _, l := range libraries {
		name, version, _ := strings.Cut(l, ".so.")
		switch name {
		case "libc", "libm", "libpthread", "libdl", "libresolv", "ld-linux-x86-64": // Debian's own
		default:
			needed[name+version] = true
		}
	}
	packages := regexp.MustCompile(`\blib[a-z0-9.+-]+`).FindAllString(installed, -1)
	for _, p := range packages {
		if !needed[p] {
			t.Errorf("the binary does not load %s", p)
		}
		delete(needed, p)
	}
	for p := range needed {
		t.Errorf("the binary loads %s, which is not installed", p)
	}
}
