package link

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what passes over links. The label side says which end of them this node is: the
// origin that is followed, or the edge that follows.
type Metrics struct{ origin, edge sideMetrics }

type sideMetrics struct {
	up, queue             prometheus.Gauge
	sent, received, units prometheus.Counter
	skips                 prometheus.Counter
	trip                  prometheus.Observer
	ends                  [reasons]prometheus.Counter
}

// NewMetrics registers the metrics of links.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	side := []string{"side"}
	up := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "headwater_links", Help: "Links that are up.",
	}, side)
	queue := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "headwater_link_queue_bytes", Help: "Bytes of payload that wait in rings for links.",
	}, side)
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_link_bytes_total", Help: "Bytes that links carried.",
	}, []string{"side", "direction"})
	units := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_link_access_units_total", Help: "Access units that links carried.",
	}, side)
	skips := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_link_skips_total",
		Help: "Times that a subscription whose link had fallen behind went on at a keyframe.",
	}, side)
	trip := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "headwater_link_round_trip_seconds",
		Help:    "Time from a ping to its pong, behind what was being written on both sides.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	}, side)
	ends := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_link_ends_total", Help: "Links and attempts at one that ended, by reason.",
	}, []string{"side", "reason"})
	for _, c := range []prometheus.Collector{up, queue, bytes, units, skips, trip, ends} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	of := func(word string) sideMetrics {
		m := sideMetrics{
			up: up.WithLabelValues(word), queue: queue.WithLabelValues(word),
			sent:     bytes.WithLabelValues(word, "sent"),
			received: bytes.WithLabelValues(word, "received"),
			units:    units.WithLabelValues(word), skips: skips.WithLabelValues(word),
			trip: trip.WithLabelValues(word),
		}
		for r := range reasons {
			m.ends[r] = ends.WithLabelValues(word, r.String())
		}
		return m
	}
	return &Metrics{origin: of("origin"), edge: of("edge")}, nil
}
