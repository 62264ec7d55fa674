package ingest

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// Metrics count what publishers send.
type Metrics struct {
	publishers prometheus.Gauge
	messages   *prometheus.CounterVec
	bytes      *prometheus.CounterVec
	malformed  prometheus.Counter
	byType     map[uint8]pair
}

type pair struct{ messages, bytes prometheus.Counter }

// NewMetrics registers the metrics of ingest.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		publishers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headwater_ingest_publishers", Help: "Publishers connected now.",
		}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headwater_ingest_access_units_total", Help: "Access units received from publishers.",
		}, []string{"track"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headwater_ingest_bytes_total", Help: "Bytes of payload received from publishers.",
		}, []string{"track"}),
		malformed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "headwater_ingest_malformed_total",
			Help: "Messages of publishers that were dropped because they are not media.",
		}),
	}
	for _, c := range []prometheus.Collector{m.publishers, m.messages, m.bytes, m.malformed} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m.byType = map[uint8]pair{}
	for typ, track := range map[uint8]string{
		rtmp.TypeAudio: "audio", rtmp.TypeVideo: "video", rtmp.TypeData: "data",
	} {
		m.byType[typ] = pair{m.messages.WithLabelValues(track), m.bytes.WithLabelValues(track)}
	}
	return m, nil
}

func (m *Metrics) arrived(msg *rtmp.Message) {
	if p, ok := m.byType[msg.Type]; ok {
		p.messages.Inc()
		p.bytes.Add(float64(len(msg.Body)))
	}
}
