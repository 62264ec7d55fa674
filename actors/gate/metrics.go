package gate

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what the gates of a node keep back.
type Metrics struct{ refused *prometheus.CounterVec }

// NewMetrics registers the metrics of the gates.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_gate_refused_total",
		Help: "Processed pictures that did not leave: filtered under older settings than their time " +
			"demands, or without what they refer to.",
	}, []string{"reason"})}
	for _, reason := range []string{"unfiltered", "incomplete"} {
		m.refused.WithLabelValues(reason)
	}
	if err := reg.Register(m.refused); err != nil {
		return nil, err
	}
	return m, nil
}
