package load

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// Name is the actor's name in the tree.
const Name = "load"

// Options make the actor.
type Options struct {
	// Window is the node's merge window.
	Window *topic.Window
	// Adaptive lets the actor change it.
	Adaptive bool
	Metrics  *Metrics
}

// Metrics show what the actor sees and does.
type Metrics struct{ utilisation, window prometheus.Gauge }

// NewMetrics registers the metrics of the node's load.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		utilisation: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headwater_cpu_utilisation_ratio",
			Help: "Share of the CPU in use, from 0 to 1: the process' of its own, or the machine's " +
				"if greater.",
		}),
		window: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headwater_merge_window_seconds",
			Help: "Time that access units gather before they are written to viewers.",
		}),
	}
	for _, c := range []prometheus.Collector{m.utilisation, m.window} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// interval is how often the load is looked at.
const interval = 250 * time.Millisecond

type sampleTick struct{}

// New returns the producer of the actor.
func New(o Options) func(*supervise.Self) actor.Actor {
	return func(self *supervise.Self) actor.Actor { return &load{Options: o, self: self} }
}

type load struct {
	Options
	self   *supervise.Self
	cpu    cpu
	timer  *time.Timer
	failed bool
}

// Receive implements actor.Actor.
func (l *load) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started, *sampleTick:
		l.sample()
		l.timer = supervise.After(ctx, interval, &sampleTick{})
	case *actor.Stopping, *actor.Restarting:
		if l.timer != nil {
			l.timer.Stop()
		}
	}
}

func (l *load) sample() {
	utilisation, err := l.cpu.sample(time.Now())
	if err != nil {
		if !l.failed {
			l.failed = true
			l.self.Log.Warn("the CPU's load cannot be read; the merge window stays as it is",
				slog.Any("error", err))
		}
		return
	}
	l.Metrics.utilisation.Set(utilisation)
	if l.Adaptive {
		l.Window.Set(next(l.Window.Get(), utilisation))
	}
	l.Metrics.window.Set(l.Window.Get().Seconds())
}
