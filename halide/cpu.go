package halide

import (
	"runtime"

	"github.com/headwater-live/headwater/halide/internal/kernels"
)

// Build says what serves the calls of this package. It is meant for the log at start and for the
// labels of a build-information metric.
type Build struct {
	// CPU is the level chosen: "x86-64-v1" to "x86-64-v4", "arm64", or "go" without kernels.
	CPU string
	// Kernels is the SHA-256 of the kernel object, empty without kernels.
	Kernels string
}

// Info returns what serves in this process. The level does not change while it runs.
func Info() Build {
	if !kernels.Native {
		return Build{CPU: "go"}
	}
	b := Build{CPU: runtime.GOARCH, Kernels: kernels.Digest()}
	if level := kernels.Level(); level > 0 {
		b.CPU = "x86-64-v" + string(rune('0'+level))
	}
	return b
}

// gate bounds the frame-sized calls in progress: each holds a thread, and each thread keeps scratch
// memory, so that more calls than processors only cost.
var gate = make(chan struct{}, runtime.GOMAXPROCS(0))

func enter() { gate <- struct{}{} }
func leave() { <-gate }
