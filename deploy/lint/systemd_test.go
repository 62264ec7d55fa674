package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits has systemd verify the units, with the binary where it is, and judge how much a node
// that was taken over could reach: from 0, nothing, to 10.
func TestUnits(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(deploy, "systemd/*.service"))
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	dir := t.TempDir()
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(dir, filepath.Base(name))
		here := strings.ReplaceAll(string(text), "/usr/local/bin/headwater", headwater)
		if here == string(text) {
			t.Errorf("%s does not run headwater", name)
		}
		if err := os.WriteFile(unit, []byte(here), 0o600); err != nil {
			t.Fatal(err)
		}
		// It may warn of the machine's own units, which have their own paths.
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), "headwater") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		out, err = exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20",
			unit).CombinedOutput()
		if err != nil {
			t.Errorf("%s is exposed by more than 2.0: %v\n%s", name, err, out)
		}
	}
}
