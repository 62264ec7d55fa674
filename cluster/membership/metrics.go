package membership

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Operation is what etcd was asked for, out of a closed set.
type Operation uint8

// The operations.
const (
	Grant Operation = iota
	Keep
	Revoke
	Write
	List
	Load
	Store
	Claim

	operations = iota
)

// String is the operation as a label.
func (o Operation) String() string {
	return [...]string{"grant", "keep", "revoke", "write", "list", "load", "store", "claim"}[o]
}

// Metrics show a node's dealings with etcd.
type Metrics struct {
	held  prometheus.Gauge
	lost  prometheus.Counter
	calls [operations][outcomes]prometheus.Observer
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headwater_cluster_lease_held",
			Help: "1 while this node's lease in the cluster's directory holds, else 0.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_cluster_leases_lost_total", Help: "Leases of this node that were lost.",
		}),
	}
	calls := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "headwater_cluster_etcd_call_seconds",
		Help:    "Time that etcd took, by what it was asked for and what became of it.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, []string{"operation", "outcome"})
	for _, c := range []prometheus.Collector{m.held, m.lost, calls} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	for op := range Operation(operations) {
		for o := range Outcome(outcomes) {
			m.calls[op][o] = calls.WithLabelValues(op.String(), o.String())
		}
	}
	return m, nil
}

func (m *Metrics) call(op Operation, o Outcome, took time.Duration) {
	m.calls[op][o].Observe(took.Seconds())
}
