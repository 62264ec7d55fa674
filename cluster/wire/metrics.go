package wire

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what nodes say to each other.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Observer
	waiting  prometheus.Gauge
	refused  prometheus.Counter
	strange  prometheus.Counter
	unstored prometheus.Counter
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	seconds := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "headwater_wire_request_seconds",
		Help:    "Time from a question to another node to its answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	})
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headwater_wire_requests_total",
			Help: "Questions of this node to others, and of others to it, by what became of them.",
		}, []string{"side", "outcome"}),
		seconds: seconds,
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headwater_wire_requests_waiting", Help: "Questions that have no answer yet.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_wire_refused_total",
			Help: "Streams of other nodes that ended as they sent what they must not.",
		}),
		strange: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_wire_strangers_total",
			Help: "Messages of nodes that are not in the member list, which are dropped.",
		}),
		unstored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_settings_unstored_total",
			Help: "Attempts to keep settings for all nodes that failed; they are repeated.",
		}),
	}
	for _, c := range []prometheus.Collector{
		m.requests, seconds, m.waiting, m.refused, m.strange, m.unstored,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	for _, side := range []string{"asked", "served"} {
		m.requests.WithLabelValues(side, "answered")
		m.requests.WithLabelValues(side, "failed")
	}
	return m, nil
}

func (m *Metrics) asked(err error, took time.Duration) {
	m.requests.WithLabelValues("asked", outcome(err)).Inc()
	if err == nil {
		m.seconds.Observe(took.Seconds())
	}
}

func (m *Metrics) served(err error) { m.requests.WithLabelValues("served", outcome(err)).Inc() }

func outcome(err error) string {
	if err != nil {
		return "failed"
	}
	return "answered"
}
