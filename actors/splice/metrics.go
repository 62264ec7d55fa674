package splice

import "github.com/prometheus/client_golang/prometheus"

// state is what a splice does, out of a closed set.
type state uint8

const (
	waiting  state = iota // for the active's stream, or for the own one
	apart                 // own units are withheld
	aligned               // they are given under the active's numbers
	tookOver              // they are shown in place of the active's

	states = iota
)

// String is the state as a label.
func (s state) String() string {
	return [...]string{"waiting", "apart", "aligned", "took_over"}[s]
}

// state is the machine's.
func (m *Machine) state() state {
	switch {
	case m.took.over:
		return tookOver
	case m.aligned:
		return aligned
	case m.epoch == 0 || m.ownEpoch == 0:
		return waiting
	}
	return apart
}

// reason is why own units have taken the active's place, out of a closed set.
type reason uint8

const (
	silent reason = iota // the active's mirror has brought nothing for a while
	gone                 // there is no way to the active

	reasons = iota
)

// String is the reason as a label.
func (r reason) String() string { return [...]string{"silent", "gone"}[r] }

// Metrics show what the splices of a node do. Nil counts nothing.
type Metrics struct {
	states    [states]prometheus.Gauge
	takeovers [reasons]prometheus.Counter
	units     prometheus.Counter
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	splices := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "headwater_splices",
		Help: "Renditions of backup publishers that are made one stream with the active's, by state.",
	}, []string{"state"})
	takeovers := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_splice_takeovers_total",
		Help: "Times that a backup's units took the place of the active's, by reason.",
	}, []string{"reason"})
	m := &Metrics{units: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "headwater_splice_units_total", Help: "Units of backup publishers that were given.",
	})}
	for _, c := range []prometheus.Collector{splices, takeovers, m.units} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	for s := range state(states) {
		m.states[s] = splices.WithLabelValues(s.String())
	}
	for r := range reason(reasons) {
		m.takeovers[r] = takeovers.WithLabelValues(r.String())
	}
	return m, nil
}

func (m *Metrics) begun(s state, by float64) {
	if m != nil {
		m.states[s].Add(by)
	}
}

func (m *Metrics) moved(from, to state, why reason) {
	if m == nil {
		return
	}
	m.states[from].Dec()
	m.states[to].Inc()
	if to == tookOver {
		m.takeovers[why].Inc()
	}
}

func (m *Metrics) unit() {
	if m != nil {
		m.units.Inc()
	}
}
