package halide

import (
	"os"
	"runtime"
	"testing"

	"github.com/headwater-live/headwater/halide/internal/kernels"
)

// HEADWATER_CPU_LEVEL masks what is above; reading it here also makes go test run anew when it
// changes.
func TestLevelIsMasked(t *testing.T) {
	info := Info()
	t.Logf("running on %s, kernels %.12s", info.CPU, info.Kernels)
	if !kernels.Native {
		if info.CPU != "go" || info.Kernels != "" {
			t.Fatalf("without kernels: %+v", info)
		}
		return
	}
	if runtime.GOARCH == "arm64" {
		if info.CPU != "arm64" {
			t.Fatalf("on arm64: %+v", info)
		}
		return
	}
	if limit := os.Getenv("HEADWATER_CPU_LEVEL"); limit != "" && info.CPU > "x86-64-v"+limit {
		t.Fatalf("runs at %s in spite of HEADWATER_CPU_LEVEL=%s", info.CPU, limit)
	}
}
