package loudness

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what is measured.
type Metrics struct {
	frames, errors, dropped prometheus.Counter
	silences, clippings     prometheus.Counter
	silent                  prometheus.Gauge
	seconds                 prometheus.Histogram
}

// NewMetrics registers the metrics of the measurement of loudness.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		frames: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_loudness_frames_total", Help: "Frames of audio that were measured.",
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_loudness_errors_total",
			Help: "Frames of audio that could not be decoded or were no audio.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_loudness_dropped_total",
			Help: "Frames of audio that were not measured because the measurement was behind.",
		}),
		silent: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headwater_loudness_silent_broadcasts", Help: "Broadcasts that are silent now.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "headwater_loudness_frame_seconds",
			Help: "Time that the decoding and the measurement of one frame took.",
			Buckets: []float64{
				.00001, .00002, .00003, .00005, .0001, .00025, .0005, .001, .0025, .01, .1,
			},
		}),
	}
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_loudness_events_total",
		Help: "Times that a broadcast fell silent, or began to clip.",
	}, []string{"event"})
	for _, c := range []prometheus.Collector{
		m.frames, m.errors, m.dropped, events, m.silent, m.seconds,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m.silences = events.WithLabelValues("silence")
	m.clippings = events.WithLabelValues("clipping")
	return m, nil
}

// changed counts what began, and follows who is silent.
func (m *Metrics) changed(c Change) {
	if c.Has(SilenceBegins) {
		m.silences.Inc()
		m.silent.Inc()
	}
	if c.Has(SilenceEnds) {
		m.silent.Dec()
	}
	if c.Has(ClippingBegins) {
		m.clippings.Inc()
	}
}
