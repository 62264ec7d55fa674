package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	flagName = regexp.MustCompile(`--([a-z]+\.[a-z-]+|demo|config|help)\b`)
	variable = regexp.MustCompile(`\bHEADWATER_[A-Z_]+[A-Z]`)
)

// settings are those of headwater run, by the names of their flags.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	help, err := exec.Command(headwater, "run", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, help2, _ := strings.Cut(string(help), "Flags:")
	all := map[string]bool{}
	for _, found := range flagName.FindAllStringSubmatch(help2, -1) {
		all[found[1]] = true
	}
	if len(all) < 40 {
		t.Fatalf("headwater run --help has %d settings", len(all))
	}
	return all
}

// coming are the settings of coming.txt.
func coming(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("coming.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if name := strings.TrimSpace(line); name != "" && !strings.HasPrefix(name, "#") {
			all[name] = true
		}
	}
	return all
}

// inEnvironment is a setting's name in the environment.
func inEnvironment(setting string) string {
	return "HEADWATER_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(setting))
}

// TestSettings holds every flag and every variable in deploy to what the binary has.
func TestSettings(t *testing.T) {
	t.Parallel()
	have, later := settings(t), coming(t)
	flags, variables, used := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for name := range have {
		flags[name], variables[inEnvironment(name)] = true, true
	}
	for name := range later {
		if have[name] {
			t.Errorf("coming.txt: headwater run has --%s by now", name)
		}
		flags[name], variables[inEnvironment(name)] = true, true
	}
	for path, text := range files(t) {
		for _, found := range flagName.FindAllStringSubmatch(text, -1) {
			if !flags[found[1]] {
				t.Errorf("%s: headwater run has no --%s", path, found[1])
			}
			used["--"+found[1]] = true
		}
		for _, found := range variable.FindAllString(text, -1) {
			if !variables[found] {
				t.Errorf("%s: headwater run has no setting that is %s", path, found)
			}
			used[found] = true
		}
	}
	if len(used) < 5 {
		t.Errorf("only %v are used", used)
	}
	for name := range later {
		if !used["--"+name] && !used[inEnvironment(name)] {
			t.Errorf("coming.txt: nothing uses %s", name)
		}
	}
}

// TestConfigurations has the binary validate those that deploy has.
func TestConfigurations(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(deploy, "systemd/*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if out, err := exec.Command(headwater, "validate", name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestPaths asks a node for everything that probes and health checks ask for.
func TestPaths(t *testing.T) {
	t.Parallel()
	at := startNode(t)
	asked := map[string]bool{"/metrics": true}
	for _, text := range files(t) {
		for _, found := range regexp.MustCompile(`path: (/[a-z/]+)|:8080(/[a-z/]+)"`).
			FindAllStringSubmatch(text, -1) {
			asked[found[1]+found[2]] = true
		}
	}
	if !asked["/readyz"] || !asked["/healthz"] {
		t.Errorf("probes ask for %v", asked)
	}
	for path := range asked {
		get(t, at+path)
	}
	if !strings.Contains(get(t, at+"/metrics"), "\nheadwater_viewers{") {
		t.Error("the node has no metric headwater_viewers, by which edges scale")
	}
}
