//go:build cgo && linux && (amd64 || arm64)

package kernels

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

// The objects beside the sources are those that zz_digest.go was generated with.
func TestDigests(t *testing.T) {
	for name, want := range map[string]string{
		"kernels_linux_amd64.syso": digestAmd64,
		"kernels_linux_arm64.syso": digestArm64,
	} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: SHA-256 %s, generated as %s", name, got, want)
		}
	}
}
