package web_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/cluster/control/web"
)

// TestPlayer compares the player in the binary with what was recorded when it was fetched.
// player.sh check, a part of make setup, compares it with the published package.
func TestPlayer(t *testing.T) {
	sums, err := os.Open("player/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sums.Close() })
	lines := bufio.NewScanner(sums)
	checked := 0
	for lines.Scan() {
		want, name, _ := strings.Cut(lines.Text(), "  ")
		body, err := fs.ReadFile(web.Files(), "player/"+name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: SHA-256 is %s, recorded %s: run player.sh update", name, got, want)
		}
		checked++
	}
	if err := lines.Err(); err != nil || checked != 4 {
		t.Errorf("%d files checked, want 4 (%v)", checked, err)
	}
}

var reference = regexp.MustCompile(`(?:src|href)="([^"#]+)"|from "([^"]+)"`)

// TestWhole follows what the page asks for: all of it is in the binary, none of it elsewhere.
func TestWhole(t *testing.T) {
	for _, name := range []string{"index.html", "app.js", "broadcasts.js", "playback.js"} {
		body, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reference.FindAllStringSubmatch(string(body), -1) {
			target := strings.TrimPrefix(m[1]+m[2], "./")
			if strings.HasPrefix(target, "/debug/") {
				continue
			}
			if _, err := fs.Stat(web.Files(), strings.TrimPrefix(target, "/")); err != nil {
				t.Errorf("%s asks for %s: %v", name, target, err)
			}
		}
	}
}
