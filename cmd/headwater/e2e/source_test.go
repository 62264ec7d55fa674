package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

// source is a live broadcast that goes on whoever is there to hear it: its units come in real time,
// and each of its publishers sends them from the next keyframe on. What at least one of them has
// sent is in the ledger.
type source struct {
	units  []unit
	ledger *ledger
	halted chan struct{}
	ended  chan struct{}

	mu         sync.Mutex
	headers    []unit          // those in force, for whoever begins
	turn       func(next unit) // called before each unit, if it is there
	publishers map[*publisher]bool
	started    map[*publisher]bool // those that have a keyframe
}

func newSource(t *testing.T, units []unit) *source {
	t.Helper()
	return &source{
		units: units, ledger: newLedger(), halted: make(chan struct{}), ended: make(chan struct{}),
		publishers: map[*publisher]bool{}, started: map[*publisher]bool{},
	}
}

// publish has a host publish the source to a node, until halt, leave or the connection's end.
func (s *source) publish(t *testing.T, from *host, to *node, key string) *publisher {
	t.Helper()
	p := from.publish(t, to, key)
	s.take(p)
	return p
}

// take has a publisher, who publishes already, send the source.
func (s *source) take(p *publisher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publishers[p] = true
}

// leave takes a publisher off the source and closes its connection.
func (s *source) leave(p *publisher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.publishers, p)
	p.conn.Close()
}

// desert takes a publisher off the source, whose connection goes on.
func (s *source) desert(p *publisher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.publishers, p)
}

// leaveAll takes all publishers off and closes their connections.
func (s *source) leaveAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.publishers {
		delete(s.publishers, p)
		p.conn.Close()
	}
}

// run begins the broadcast.
func (s *source) run(t *testing.T) {
	t.Helper()
	t.Cleanup(s.halt)
	go func() {
		defer close(s.ended)
		began := time.Now()
		timer := time.NewTimer(0)
		defer timer.Stop()
		for _, u := range s.units {
			due := time.Duration(u.ms-s.units[0].ms) * time.Millisecond
			timer.Reset(time.Until(began.Add(due)))
			select {
			case <-timer.C:
				s.send(u)
			case <-s.halted:
				return
			}
		}
	}()
}

// send gives a unit to all publishers. A connection that takes nothing may not hold up the others
// for long, and is given up. Buffers take seconds before that.
func (s *source) send(u unit) {
	if s.turn != nil {
		s.turn(u)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.publishers {
		_ = p.conn.SetWriteDeadline(time.Now().Add(time.Second))
		if !s.started[p] && !s.begin(p, u) {
			continue
		}
		s.ledger.enter(u)
		if over(p.ended) || p.send(u) != nil {
			delete(s.publishers, p)
			p.conn.Close()
		}
	}
	if u.header() {
		s.headers = slices.DeleteFunc(s.headers, func(h unit) bool { return h.kind == u.kind })
		s.headers = append(s.headers, u)
	}
}

// begin sends the headers ahead of a publisher's first keyframe.
func (s *source) begin(p *publisher, u unit) bool {
	if !u.picture() {
		return false
	}
	s.started[p] = true
	for _, h := range s.headers {
		h.ms = u.ms
		if p.send(h) != nil {
			return false
		}
	}
	return true
}

// halt stops the broadcast; connections stay. It returns when the last unit is sent.
func (s *source) halt() {
	if !over(s.halted) {
		close(s.halted)
	}
	<-s.ended
}

// groups are light viewers by where they are.
type groups map[string][]*light

func (g groups) all() (viewers []*light) {
	for _, name := range slices.Sorted(maps.Keys(g)) {
		viewers = append(viewers, g[name]...)
	}
	return viewers
}

// report prints what became of the broadcast as a table, and returns the sum of it.
func (l *ledger) report(t *testing.T, g groups) audit {
	t.Helper()
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "where\tviewers\tunits\tlost\ttwice\treordered\tstrange\ttorn\tfalls\tbehind\t"+
		"gap p50\tp90\tp99\tmax ms\tlate p50\tp99\tmax ms\t")
	var sum audit
	for _, name := range slices.Sorted(maps.Keys(g)) {
		var a audit
		for _, v := range g[name] {
			a = a.and(l.audit(v.entries()))
		}
		a.row(w, name)
		sum = sum.and(a)
	}
	sum.row(w, "all")
	w.Flush()
	last, _ := l.last()
	t.Logf("%d units were sent, up to %d ms\n%s", len(l.sent), last.ms, &text)
	return sum
}

func (a audit) row(w *tabwriter.Writer, name string) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", name, a.viewers, a.units,
		a.lost, a.duplicated, a.reordered, a.strange, a.torn, a.falls, a.behind,
		quantiles(a.gaps, 0.5, 0.9, 0.99, 1), quantiles(a.late, 0.5, 0.99, 1))
}

// quantiles are cells of a table, in milliseconds.
func quantiles(all []time.Duration, wanted ...float64) string {
	var cells []string
	for _, q := range wanted {
		cells = append(cells, fmt.Sprint(quantile(all, q).Milliseconds()))
	}
	return strings.Join(cells, "\t")
}

// quantile is the least that a part q of all does not exceed.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[max(0, min(len(all)-1, int(q*float64(len(all))+0.999999)-1))]
}

// processorTime is what this process has used of processors.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
