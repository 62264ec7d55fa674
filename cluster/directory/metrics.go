package directory

import "github.com/prometheus/client_golang/prometheus"

// claimOutcome is what became of a claim, out of a closed set.
type claimOutcome uint8

const (
	claimGranted claimOutcome = iota
	claimPublished
	claimBusy
	claimUnreachable
	claimNotHeld
	claimDraining
	claimFull
	claimNoOrigin
	claimFailed

	claimOutcomes = iota
)

// String is the outcome as a label.
func (o claimOutcome) String() string {
	return [...]string{
		"granted", "published", "busy", "unreachable", "not_held", "draining", "full", "no_origin",
		"failed",
	}[o]
}

// Metrics show what the registrar knows and does.
type Metrics struct {
	members, broadcasts, links, pins prometheus.Gauge

	bad    prometheus.Counter
	claims [claimOutcomes]prometheus.Counter
	claim  prometheus.Observer
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	claims := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_cluster_claims_total",
		Help: "Publishers that asked for a key, by what became of it.",
	}, []string{"outcome"})
	claim := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "headwater_cluster_claim_seconds",
		Help:    "Time from a publisher's claim to the cluster's answer.",
		Buckets: []float64{.0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	})
	m := &Metrics{
		members:    gauge("headwater_cluster_members", "Nodes in the cluster, this one included."),
		broadcasts: gauge("headwater_cluster_broadcasts", "Broadcasts that some node carries."),
		links:      gauge("headwater_cluster_links_out", "Links to other nodes that are wanted."),
		pins:       gauge("headwater_cluster_standbys", "Broadcasts that this node is standby for."),
		bad: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_cluster_bad_records_total",
			Help: "Records of the cluster's directory that could not be read.",
		}),
		claim: claim,
	}
	for _, c := range []prometheus.Collector{
		m.members, m.broadcasts, m.links, m.pins, m.bad, claims, claim,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	for o := range claimOutcome(claimOutcomes) {
		m.claims[o] = claims.WithLabelValues(o.String())
	}
	return m, nil
}
