package process

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what renditions cost.
type Metrics struct{}

// NewMetrics registers the metrics of processing.
func NewMetrics(prometheus.Registerer) (*Metrics, error) { return &Metrics{}, nil }

func (m *Metrics) dropped(n int)              {}
func (m *Metrics) late(d time.Duration)       {}
func (m *Metrics) report(r *Report)           {}
func (m *Metrics) childUp()                   {}
func (m *Metrics) childDown(e ending, a bool) {}
