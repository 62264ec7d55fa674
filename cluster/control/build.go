package control

import "github.com/prometheus/client_golang/prometheus"

// Build says what a node was built from and what its kernels run on.
type Build struct {
	Version, Commit, Go string
	// CPULevel is the processor level that the kernels chose.
	CPULevel string
	// Kernels is the digest of the kernels' object, empty if there is none.
	Kernels string
}

// NewBuildInfo returns the metric that shows a build: always 1, the labels are what it says.
func NewBuildInfo(b Build) prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "headwater_build_info",
		Help: "What this node was built from and what its kernels run on; always 1.",
	}, []string{"version", "commit", "go_version", "cpu_level", "kernels"})
	info.WithLabelValues(b.Version, b.Commit, b.Go, b.CPULevel, b.Kernels).Set(1)
	return info
}
