package topic

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/codec/media"
)

// Metrics count what passes through the topics of one role. Its methods are called by topics only.
type Metrics struct {
	units    [media.Kinds]prometheus.Counter
	bytes    [media.Kinds]prometheus.Counter
	losses   [4]prometheus.Counter
	sequence prometheus.Counter
	ring     prometheus.Gauge
	holes    [3]prometheus.Counter
	waiting  prometheus.Gauge
}

// lossReasons are the values of the label reason, in the order of losses.
func lossReasons() []error { return []error{ErrStale, ErrDuplicate, ErrNoHeader, ErrNoKeyframe} }

// NewMetrics registers the metrics of the topics of a role, "origin" or "edge".
func NewMetrics(reg prometheus.Registerer, role string) (*Metrics, error) {
	labels := prometheus.Labels{"role": role}
	units := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_topic_access_units_total", ConstLabels: labels,
		Help: "Access units that entered a topic's ring.",
	}, []string{"track"})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_topic_bytes_total", ConstLabels: labels,
		Help: "Bytes of payload that entered a topic's ring.",
	}, []string{"track"})
	losses := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_topic_refused_total", ConstLabels: labels,
		Help: "Access units that did not enter a topic's ring, by reason.",
	}, []string{"reason"})
	gaps := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "headwater_topic_gaps_total", ConstLabels: labels,
		Help: "Places where access units were missing; each costs video up to the next keyframe.",
	})
	ring := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "headwater_topic_ring_bytes", ConstLabels: labels,
		Help: "Bytes of payload that the topics' rings keep. An edge shares its origin's on one node.",
	})
	holes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_topic_holes_total", ConstLabels: labels,
		Help: "Holes in what one upstream brought, by what became of them.",
	}, []string{"fate"})
	waiting := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "headwater_topic_held_bytes", ConstLabels: labels,
		Help: "Bytes of access units that are held back until another upstream fills a hole.",
	})
	for _, c := range []prometheus.Collector{units, bytes, losses, gaps, ring, holes, waiting} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m := &Metrics{sequence: gaps, ring: ring, waiting: waiting}
	for i, word := range []string{"opened", "filled", "given_up"} {
		m.holes[i] = holes.WithLabelValues(word)
	}
	for kind := range m.units {
		m.units[kind] = units.WithLabelValues(media.Kind(kind).String())
		m.bytes[kind] = bytes.WithLabelValues(media.Kind(kind).String())
	}
	for i, word := range []string{"stale", "duplicate", "no_header", "no_keyframe"} {
		m.losses[i] = losses.WithLabelValues(word)
	}
	return m, nil
}

func (m *Metrics) accepted(u *Unit) {
	m.units[u.Kind].Inc()
	m.bytes[u.Kind].Add(float64(len(u.Body)))
}

func (m *Metrics) refused(reason error) {
	for i, err := range lossReasons() {
		if errors.Is(reason, err) {
			m.losses[i].Inc()
			return
		}
	}
}

func (m *Metrics) gaps(n uint64) { m.sequence.Add(float64(n)) }

// kept notes by how much the payload that a ring keeps has grown.
func (m *Metrics) kept(bytes int64) { m.ring.Add(float64(bytes)) }

// fates notes what has become of holes.
func (m *Metrics) fates(before, after fates) {
	m.holes[0].Add(float64(after.opened - before.opened))
	m.holes[1].Add(float64(after.filled - before.filled))
	m.holes[2].Add(float64(after.givenUp - before.givenUp))
}

// held notes by how much what is held back has grown.
func (m *Metrics) held(bytes int) { m.waiting.Add(float64(bytes)) }
