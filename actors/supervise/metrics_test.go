package supervise

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/headwater-live/headwater/actors/mailbox"
)

const wantMetrics = `
# HELP headwater_actor_end_panics_total Panics of actors while they stopped.
# TYPE headwater_actor_end_panics_total counter
headwater_actor_end_panics_total{kind="a"} 0
headwater_actor_end_panics_total{kind="b"} 1
headwater_actor_end_panics_total{kind="root"} 0
# HELP headwater_actor_failures_total Actors that panicked, or whose goroutine did.
# TYPE headwater_actor_failures_total counter
headwater_actor_failures_total{kind="a"} 2
headwater_actor_failures_total{kind="b"} 0
headwater_actor_failures_total{kind="root"} 0
# HELP headwater_actor_mailbox_capacity_messages Messages that mailboxes have room for.
# TYPE headwater_actor_mailbox_capacity_messages gauge
headwater_actor_mailbox_capacity_messages{kind="a"} 3
headwater_actor_mailbox_capacity_messages{kind="b"} 0
headwater_actor_mailbox_capacity_messages{kind="root"} 256
# HELP headwater_actor_mailbox_dropped_total Messages that were lost as a mailbox was full.
# TYPE headwater_actor_mailbox_dropped_total counter
headwater_actor_mailbox_dropped_total{kind="a"} 2
headwater_actor_mailbox_dropped_total{kind="b"} 0
headwater_actor_mailbox_dropped_total{kind="root"} 0
# HELP headwater_actor_mailbox_messages Messages that wait in mailboxes.
# TYPE headwater_actor_mailbox_messages gauge
headwater_actor_mailbox_messages{kind="a"} 3
headwater_actor_mailbox_messages{kind="b"} 0
headwater_actor_mailbox_messages{kind="root"} 0
# HELP headwater_actor_mailbox_oldest_seconds Wait of the mailbox message that waits longest.
# TYPE headwater_actor_mailbox_oldest_seconds gauge
headwater_actor_mailbox_oldest_seconds{kind="a"} 4
headwater_actor_mailbox_oldest_seconds{kind="b"} 0
headwater_actor_mailbox_oldest_seconds{kind="root"} 0
# HELP headwater_actor_restarts_total Restarts of actors by their supervisors.
# TYPE headwater_actor_restarts_total counter
headwater_actor_restarts_total{kind="a"} 2
headwater_actor_restarts_total{kind="b"} 0
headwater_actor_restarts_total{kind="root"} 0
# HELP headwater_actor_starts_total Actors that were ever started, restarts not counted.
# TYPE headwater_actor_starts_total counter
headwater_actor_starts_total{kind="a"} 1
headwater_actor_starts_total{kind="b"} 1
headwater_actor_starts_total{kind="root"} 1
# HELP headwater_actors_running Actors that live now.
# TYPE headwater_actors_running gauge
headwater_actors_running{kind="a"} 1
headwater_actors_running{kind="b"} 0
headwater_actors_running{kind="root"} 1
# HELP headwater_goroutines_left Goroutines that outlive their actor: leaks.
# TYPE headwater_goroutines_left gauge
headwater_goroutines_left{owner="a"} 0
headwater_goroutines_left{owner="b"} 1
headwater_goroutines_left{owner="root"} 0
# HELP headwater_goroutines_running Goroutines that actors own and that run now.
# TYPE headwater_goroutines_running gauge
headwater_goroutines_running{owner="a"} 0
headwater_goroutines_running{owner="b"} 1
headwater_goroutines_running{owner="root"} 0
# HELP headwater_goroutines_started_total Goroutines that actors have ever started.
# TYPE headwater_goroutines_started_total counter
headwater_goroutines_started_total{owner="a"} 0
headwater_goroutines_started_total{owner="b"} 1
headwater_goroutines_started_total{owner="root"} 0
# HELP headwater_supervisors_spent_total Supervisors that gave up on their children and failed.
# TYPE headwater_supervisors_spent_total counter
headwater_supervisors_spent_total{kind="a"} 0
headwater_supervisors_spent_total{kind="b"} 0
headwater_supervisors_spent_total{kind="root"} 0
`

func TestCollector(t *testing.T) {
	tree := root(OneForOne, Spec{Name: "a", Mailbox: 3}, Spec{Name: "b", Restart: Temporary})
	stage(t, tree, func(s *scene) {
		gate, release := make(chan struct{}), make(chan struct{})
		s.on("bad a", boom)
		s.on("wait a", func(actor.Context, *Self) { <-gate })
		s.on("work b", func(_ actor.Context, self *Self) {
			self.Goroutines.Go("deaf", func(context.Context) { <-release })
		})
		s.on("end b", func(ctx actor.Context, self *Self) { self.End(ctx, "done") })
		s.on("stopping b", boom)
		for _, word := range []string{"work", "end"} {
			s.poke("b", word)
		}
		for range 2 {
			s.poke("a", "bad")
			s.after(10 * time.Second)
		}
		s.poke("a", "wait")
		s.after(0)
		for i := range 5 {
			s.poke("a", fmt.Sprint(i))
		}
		s.after(4 * time.Second)

		reg := prometheus.NewPedanticRegistry()
		reg.MustRegister(NewCollector(s.rt.Census))
		names := metricNames(wantMetrics)
		if err := testutil.GatherAndCompare(reg, strings.NewReader(wantMetrics), names...); err != nil {
			t.Error(err)
		}
		problems, err := testutil.GatherAndLint(reg)
		if err != nil || len(problems) != 0 {
			t.Errorf("lint: %v %v", problems, err)
		}
		if n, err := testutil.GatherAndCount(reg); err != nil || n != 3*(len(names)+1) {
			t.Errorf("%d series of %d metrics and a histogram, 3 kinds: %v", n, len(names), err)
		}
		close(gate)
		close(release)
		s.shutdown()
	})
}

// metricNames lists the metrics of a text.
func metricNames(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	return names
}

func TestMessageHistogram(t *testing.T) {
	census := NewCensus()
	k := census.kind("a")
	k.messages.observe(time.Microsecond)
	k.messages.observe(5 * time.Microsecond)
	k.messages.observe(10 * time.Second)
	want := `
# HELP headwater_actor_message_seconds Time an actor spends on one message.
# TYPE headwater_actor_message_seconds histogram
headwater_actor_message_seconds_bucket{kind="a",le="1e-06"} 1
headwater_actor_message_seconds_bucket{kind="a",le="4e-06"} 1
headwater_actor_message_seconds_bucket{kind="a",le="1.6e-05"} 2
headwater_actor_message_seconds_bucket{kind="a",le="6.4e-05"} 2
headwater_actor_message_seconds_bucket{kind="a",le="0.000256"} 2
headwater_actor_message_seconds_bucket{kind="a",le="0.001024"} 2
headwater_actor_message_seconds_bucket{kind="a",le="0.004096"} 2
headwater_actor_message_seconds_bucket{kind="a",le="0.016384"} 2
headwater_actor_message_seconds_bucket{kind="a",le="0.065536"} 2
headwater_actor_message_seconds_bucket{kind="a",le="0.262144"} 2
headwater_actor_message_seconds_bucket{kind="a",le="1.048576"} 2
headwater_actor_message_seconds_bucket{kind="a",le="+Inf"} 3
headwater_actor_message_seconds_sum{kind="a"} 10.000006
headwater_actor_message_seconds_count{kind="a"} 3
`
	err := testutil.CollectAndCompare(NewCollector(census), strings.NewReader(want),
		"headwater_actor_message_seconds")
	if err != nil {
		t.Error(err)
	}
}

func TestDurationBounds(t *testing.T) {
	for i := range bucketCount {
		var at, above durations
		at.observe(bound(i))
		above.observe(bound(i) + 1)
		if at.buckets[i].Load() != 1 || above.buckets[i+1].Load() != 1 {
			t.Errorf("bucket %d does not end at %v", i, bound(i))
		}
	}
	var d durations
	d.observe(0)
	d.observe(-time.Second)
	if count, sum, buckets := d.snapshot(); count != 2 || sum != 0 || buckets[1e-6] != 2 {
		t.Errorf("count %d sum %v buckets %v", count, sum, buckets)
	}
}

// BenchmarkCollect is a scrape with ten thousand actors of twenty kinds.
func BenchmarkCollect(b *testing.B) {
	census := NewCensus()
	for i := range 10_000 {
		v := &Vital{Spec: &Spec{}, counts: census.kind(fmt.Sprintf("kind%d", i%20))}
		_, v.mailbox = mailbox.New(mailbox.Options{})
		census.enter(actor.NewPID("", fmt.Sprint(i)), v)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(NewCollector(census))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reg.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
