package edge

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what viewers get.
type Metrics struct {
	byProtocol [protocols]protocolMetrics
	scratch    *sync.Pool
}

type protocolMetrics struct {
	viewers      prometheus.Gauge
	bytes, units prometheus.Counter
	skips        prometheus.Counter
	closes       [reasons]prometheus.Counter
	join, lag    prometheus.Observer
}

// NewMetrics registers the metrics of viewers.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	label := []string{"protocol"}
	viewers := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "headwater_viewers", Help: "Viewers connected now.",
	}, label)
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_egress_bytes_total", Help: "Bytes of payload written to viewers.",
	}, label)
	units := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_egress_access_units_total", Help: "Access units written to viewers.",
	}, label)
	skips := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_viewer_skips_total",
		Help: "Times that a viewer who had fallen behind went on at the newest keyframe.",
	}, label)
	closes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_viewer_closes_total", Help: "Viewers whose connection ended, by reason.",
	}, []string{"protocol", "reason"})
	join := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "headwater_viewer_join_seconds",
		Help:    "Time from a viewer's connection to the first access unit written to it.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 30},
	}, label)
	lag := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "headwater_viewer_lag_seconds",
		Help:    "Time from an access unit's arrival on the node to its being written to a viewer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, label)
	for _, c := range []prometheus.Collector{viewers, bytes, units, skips, closes, join, lag} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m := &Metrics{scratch: newScratchPool()}
	for p := range protocols {
		word := p.String()
		pm := &m.byProtocol[p]
		*pm = protocolMetrics{
			viewers: viewers.WithLabelValues(word), bytes: bytes.WithLabelValues(word),
			units: units.WithLabelValues(word), skips: skips.WithLabelValues(word),
			join: join.WithLabelValues(word), lag: lag.WithLabelValues(word),
		}
		for r := range reasons {
			pm.closes[r] = closes.WithLabelValues(word, r.String())
		}
	}
	return m, nil
}

func (m *Metrics) of(p Protocol) *protocolMetrics { return &m.byProtocol[p] }

func (m *Metrics) joined(p Protocol) { m.of(p).viewers.Inc() }

func (m *Metrics) left(p Protocol, why Reason) {
	m.of(p).viewers.Dec()
	m.of(p).closes[why].Inc()
}
