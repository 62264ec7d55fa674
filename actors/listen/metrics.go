package listen

import "github.com/prometheus/client_golang/prometheus"

// Metrics count connections.
type Metrics struct {
	negotiated, failed, refused, acceptErrors prometheus.Counter
}

// NewMetrics registers the metrics of the listeners.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	connections := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_rtmp_connections_total",
		Help: "RTMP connections by what became of them before they published or played.",
	}, []string{"outcome"})
	acceptErrors := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "headwater_rtmp_accept_errors_total",
		Help: "Times that a connection could not be accepted, as when file descriptors run out.",
	})
	for _, c := range []prometheus.Collector{connections, acceptErrors} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return &Metrics{
		negotiated:   connections.WithLabelValues("negotiated"),
		failed:       connections.WithLabelValues("failed"),
		refused:      connections.WithLabelValues("refused"),
		acceptErrors: acceptErrors,
	}, nil
}
