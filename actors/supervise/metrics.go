package supervise

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector shows a census to Prometheus, by kind of actor. It keeps nothing: what there is to
// count the census has counted.
type collector struct {
	census   *Census
	kinds    []kindMetric
	messages *prometheus.Desc
	length   *prometheus.Desc
	capacity *prometheus.Desc
	oldest   *prometheus.Desc
}

// kindMetric is one that can be read off a Kind.
type kindMetric struct {
	desc  *prometheus.Desc
	typ   prometheus.ValueType
	value func(*Kind) float64
}

// NewCollector returns a collector of the census, for one registry. A scrape costs a walk over the
// live actors.
func NewCollector(c *Census) prometheus.Collector {
	return &collector{
		census: c,
		kinds:  append(actorMetrics(), goroutineMetrics()...),
		messages: desc("actor_message_seconds", "kind",
			"Time an actor spends on one message."),
		length: desc("actor_mailbox_messages", "kind",
			"Messages that wait in mailboxes."),
		capacity: desc("actor_mailbox_capacity_messages", "kind",
			"Messages that mailboxes have room for."),
		oldest: desc("actor_mailbox_oldest_seconds", "kind",
			"Wait of the mailbox message that waits longest."),
	}
}

func desc(name, label, help string) *prometheus.Desc {
	return prometheus.NewDesc("headwater_"+name, help, []string{label}, nil)
}

func actorMetrics() []kindMetric {
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	return []kindMetric{
		{
			desc("actors_running", "kind", "Actors that live now."), gauge,
			func(k *Kind) float64 { return float64(k.Running.Load()) },
		},
		{
			desc("actor_starts_total", "kind", "Actors that were ever started, restarts not counted."),
			counter, func(k *Kind) float64 { return float64(k.Starts.Load()) },
		},
		{
			desc("actor_restarts_total", "kind", "Restarts of actors by their supervisors."), counter,
			func(k *Kind) float64 { return float64(k.Restarts.Load()) },
		},
		{
			desc("actor_failures_total", "kind", "Actors that panicked, or whose goroutine did."),
			counter, func(k *Kind) float64 { return float64(k.Failures.Load()) },
		},
		{
			desc("actor_end_panics_total", "kind", "Panics of actors while they stopped."), counter,
			func(k *Kind) float64 { return float64(k.EndPanics.Load()) },
		},
		{
			desc("actor_mailbox_dropped_total", "kind",
				"Messages that were lost as a mailbox was full."), counter,
			func(k *Kind) float64 { return float64(k.Drops.Load()) },
		},
		{
			desc("supervisors_spent_total", "kind",
				"Supervisors that gave up on their children and failed."), counter,
			func(k *Kind) float64 { return float64(k.Spent.Load()) },
		},
	}
}

func goroutineMetrics() []kindMetric {
	return []kindMetric{
		{
			desc("goroutines_running", "owner", "Goroutines that actors own and that run now."),
			prometheus.GaugeValue,
			func(k *Kind) float64 { return float64(k.Goroutines.Running.Load()) },
		},
		{
			desc("goroutines_started_total", "owner", "Goroutines that actors have ever started."),
			prometheus.CounterValue,
			func(k *Kind) float64 { return float64(k.Goroutines.Started.Load()) },
		},
		{
			desc("goroutines_left", "owner",
				"Goroutines that outlive their actor: leaks."),
			prometheus.GaugeValue,
			func(k *Kind) float64 { return float64(k.Goroutines.Left.Load()) },
		},
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for i := range c.kinds {
		out <- c.kinds[i].desc
	}
	out <- c.messages
	out <- c.length
	out <- c.capacity
	out <- c.oldest
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	waiting := c.census.waiting(time.Now())
	for _, k := range c.census.Kinds() {
		for i := range c.kinds {
			m := &c.kinds[i]
			out <- prometheus.MustNewConstMetric(m.desc, m.typ, m.value(k), k.Name)
		}
		count, sum, buckets := k.messages.snapshot()
		out <- prometheus.MustNewConstHistogram(c.messages, count, sum, buckets, k.Name)
		w := waiting[k]
		if w == nil { // a kind that is newer than the walk
			w = &waits{}
		}
		gauge := prometheus.GaugeValue
		out <- prometheus.MustNewConstMetric(c.length, gauge, float64(w.length), k.Name)
		out <- prometheus.MustNewConstMetric(c.capacity, gauge, float64(w.capacity), k.Name)
		out <- prometheus.MustNewConstMetric(c.oldest, gauge, w.oldest.Seconds(), k.Name)
	}
}

// waits is what waits in the mailboxes of one kind.
type waits struct {
	length, capacity int
	oldest           time.Duration
}

// waiting sums the mailboxes of the live actors.
func (c *Census) waiting(now time.Time) map[*Kind]*waits {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[*Kind]*waits, len(c.kinds))
	for _, k := range c.kinds {
		out[k] = &waits{}
	}
	for _, v := range c.live {
		w := out[v.counts]
		w.length += v.mailbox.Len()
		w.capacity += v.mailbox.Cap()
		w.oldest = max(w.oldest, v.mailbox.Age(now))
	}
	return out
}
