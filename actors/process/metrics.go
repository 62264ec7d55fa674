package process

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/codec/av"
)

// Metrics count what renditions cost. Its methods are called by this package only.
type Metrics struct {
	frames   [outcomes]prometheus.Counter
	errors   prometheus.Counter
	stages   [stages]prometheus.Observer
	lateness prometheus.Observer
	slots    prometheus.Gauge
	children prometheus.Gauge
	deaths   [endClasses]prometheus.Counter
}

// outcome is what became of a picture, out of a closed set.
type outcome uint8

const (
	outcomeEncoded outcome = iota // as the order asks
	outcomeMasked                 // with all of it covered
	outcomePassed                 // left out on purpose
	outcomeDropped                // lost to a gap, a fault or a full queue
	outcomes
)

// String returns the word that labels metrics.
func (o outcome) String() string { return [...]string{"encoded", "masked", "passed", "dropped"}[o] }

// stage is a part of the work on a picture.
type stage uint8

const (
	stageDecode stage = iota
	stageFilter
	stageEncode
	stages
)

// String returns the word that labels metrics.
func (s stage) String() string { return [...]string{"decode", "filter", "encode"}[s] }

// NewMetrics registers the metrics of processing.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	frames := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_process_pictures_total",
		Help: "Pictures that a rendition was to make, by what became of them.",
	}, []string{"outcome"})
	errs := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "headwater_process_decode_errors_total",
		Help: "Pictures that could not be decoded, or not without damage.",
	})
	stageSeconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "headwater_process_stage_seconds",
		Help:    "Time that a stage of processing took for one access unit.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1},
	}, []string{"stage"})
	lateness := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "headwater_process_lateness_seconds",
		Help: "Time from an access unit's arrival at a rendition to the end of the work on it.",
		Buckets: []float64{
			.0025, .005, .01, .02, .033, .05, .075, .1, .15, .25, .5, 1, 2, 5,
		},
	})
	slots := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "headwater_process_slots_busy",
		Help: "Pictures that are worked on now; there are as many slots as cores.",
	})
	children := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "headwater_process_children", Help: "Child processes of renditions that run now.",
	})
	deaths := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headwater_process_child_deaths_total",
		Help: "Child processes that ended though nobody had asked them to, by cause.",
	}, []string{"cause"})
	codecs := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "headwater_process_codecs",
		Help: "Decoders and encoders that are open in this process.",
	}, func() float64 {
		n, _ := av.Live()
		return float64(n)
	})
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "headwater_process_frames",
		Help: "Decoded pictures that this process holds, in use or to be used again.",
	}, func() float64 {
		_, n := av.Live()
		return float64(n)
	})
	for _, c := range []prometheus.Collector{
		frames, errs, stageSeconds, lateness, slots, children, deaths, codecs, held,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m := &Metrics{errors: errs, lateness: lateness, slots: slots, children: children}
	for o := range outcomes {
		m.frames[o] = frames.WithLabelValues(o.String())
	}
	for s := range stages {
		m.stages[s] = stageSeconds.WithLabelValues(s.String())
	}
	for c := range endClasses {
		m.deaths[c] = deaths.WithLabelValues(c.String())
	}
	return m, nil
}

func (m *Metrics) dropped(n int) { m.frames[outcomeDropped].Add(float64(n)) }

func (m *Metrics) late(d time.Duration) { m.lateness.Observe(d.Seconds()) }

// report counts what a call of the pipeline did.
func (m *Metrics) report(r *Report) {
	for o, n := range [outcomes]uint32{
		outcomeEncoded: r.Encoded - min(r.Encoded, r.Masked), outcomeMasked: r.Masked,
		outcomePassed: r.Passed, outcomeDropped: r.Dropped,
	} {
		if n > 0 {
			m.frames[o].Add(float64(n))
		}
	}
	m.errors.Add(float64(r.Errors))
	for s, d := range [stages]time.Duration{
		stageDecode: r.Decode, stageFilter: r.Filter, stageEncode: r.Encode,
	} {
		if d > 0 {
			m.stages[s].Observe(d.Seconds())
		}
	}
}

func (m *Metrics) childUp() { m.children.Inc() }

// childDown counts a child's end, and its cause unless the end was asked for.
func (m *Metrics) childDown(e ending, asked bool) {
	m.children.Dec()
	if !asked {
		m.deaths[e.class].Inc()
	}
}
