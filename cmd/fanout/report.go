package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// subject is what was measured.
type subject struct {
	Server     string
	Merge      string `json:",omitempty"`
	Protocol   string
	Viewers    int
	Broadcasts int
}

func (s subject) String() string {
	name := s.Server
	if s.Merge != "" {
		name += " merge " + s.Merge
	}
	return fmt.Sprintf("%s, %s, %d viewers of %d", name, s.Protocol, s.Viewers, s.Broadcasts)
}

func (s subject) cells() []string {
	merge := s.Merge
	if merge == "" {
		merge = "-"
	}
	return []string{
		s.Server, merge, s.Protocol, fmt.Sprint(s.Viewers), fmt.Sprint(s.Broadcasts),
	}
}

// sample is one run of one case. Memory is in bytes, delays are in milliseconds.
type sample struct {
	subject
	base                           resident
	Run                            int
	Seconds                        float64
	Published                      int64   // units, of all broadcasts
	ServerCPU, ClientCPU, OtherCPU float64 // seconds; other is all else on the machine
	BaseRSS                        int64   // without viewers
	RSSPerViewer                   float64
	AnonymousPerViewer             float64
	Join                           spread
	JoinsFailed                    int
	Error                          string `json:",omitempty"` // the first
	tally
}

// crowdSample is one run of many viewers who join at once.
type crowdSample struct {
	subject
	Run                            int
	AcceptSeconds, CaughtUpSeconds float64
	ServerCPU                      float64 // seconds, until all have caught up
	Bytes                          int64
	Join                           spread
	Failed                         int
	Error                          string `json:",omitempty"`
}

const gigabyte = 1e9

// delivered is the share of the published units that arrived, which is not exact: what is on its
// way when the interval begins is counted, what is on its way when it ends is not.
func (s *sample) delivered() float64 {
	due := float64(s.Published) / float64(s.Broadcasts) * float64(s.Viewers)
	return float64(s.Units) / due
}

// column is a figure of a report: its value, and digits behind the point.
type column[S any] struct {
	title  string
	digits int
	value  func(*S) float64
}

func steadyColumns() []column[sample] {
	return []column[sample]{
		{"MB/s", 0, func(s *sample) float64 { return float64(s.Bytes) / s.Seconds / 1e6 }},
		{"CPU s/GB", 2, func(s *sample) float64 { return s.ServerCPU / float64(s.Bytes) * gigabyte }},
		{"CPU ms/s", 0, func(s *sample) float64 { return 1e3 * s.ServerCPU / s.Seconds }},
		{"idle MB", 1, func(s *sample) float64 { return float64(s.BaseRSS) / 1e6 }},
		{"KB/viewer", 1, func(s *sample) float64 { return s.RSSPerViewer / 1e3 }},
		{"delay p50 ms", 1, func(s *sample) float64 { return s.Delay.P50 }},
		{"p99", 1, func(s *sample) float64 { return s.Delay.P99 }},
		{"join p50 ms", 1, func(s *sample) float64 { return s.Join.P50 }},
		{"p99", 1, func(s *sample) float64 { return s.Join.P99 }},
		{"delivered %", 1, func(s *sample) float64 { return 100 * s.delivered() }},
		{"gaps", 0, func(s *sample) float64 { return float64(s.Gaps + s.Back + s.Foreign) }},
		{"lost", 0, func(s *sample) float64 { return float64(s.Lost) + float64(s.JoinsFailed) }},
		{"client s/GB", 2, func(s *sample) float64 { return s.ClientCPU / float64(s.Bytes) * gigabyte }},
		{"others CPU", 2, func(s *sample) float64 { return s.OtherCPU / s.Seconds }},
	}
}

func crowdColumns() []column[crowdSample] {
	return []column[crowdSample]{
		{"accepted/s", 0, func(s *crowdSample) float64 { return float64(s.Viewers) / s.AcceptSeconds }},
		{"CPU ms/join", 3, func(s *crowdSample) float64 {
			return 1e3 * s.ServerCPU / float64(s.Viewers)
		}},
		{"KB/join", 0, func(s *crowdSample) float64 {
			return float64(s.Bytes) / 1e3 / float64(s.Viewers)
		}},
		{"join p50 ms", 0, func(s *crowdSample) float64 { return s.Join.P50 }},
		{"p99", 0, func(s *crowdSample) float64 { return s.Join.P99 }},
		{"all caught up ms", 0, func(s *crowdSample) float64 { return 1e3 * s.CaughtUpSeconds }},
		{"failed", 0, func(s *crowdSample) float64 { return float64(s.Failed) }},
	}
}

func (s *sample) line() string { return line(s.subject, s, steadyColumns(), s.Error) }

func (s *crowdSample) line() string {
	return line(s.subject, s, crowdColumns(), s.Error) + " (at once)"
}

// line is a sample in one line, for whoever waits.
func line[S any](about subject, s *S, columns []column[S], failure string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v:", about)
	for _, c := range columns {
		fmt.Fprintf(&b, " %s %.*f;", c.title, c.digits, c.value(s))
	}
	if failure != "" {
		fmt.Fprintf(&b, " error: %s", failure)
	}
	return b.String()
}

// cell is the median of several runs with the least in brackets, or the figure of the only one.
func (c *column[S]) cell(runs []S) string {
	values := make([]float64, len(runs))
	for i := range runs {
		values[i] = c.value(&runs[i])
	}
	slices.Sort(values)
	median := (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	if len(runs) == 1 || values[0] == values[len(values)-1] {
		return fmt.Sprintf("%.*f", c.digits, median)
	}
	return fmt.Sprintf("%.*f (%.*f)", c.digits, median, c.digits, values[0])
}

// table makes a row of each subject, in the order in which they come first.
func table[S any](samples []S, about func(*S) subject, columns []column[S]) [][]string {
	if len(samples) == 0 {
		return nil
	}
	head := []string{"server", "merge", "protocol", "viewers", "broadcasts"}
	for _, c := range columns {
		head = append(head, c.title)
	}
	rows := [][]string{head}
	var order []subject
	runs := map[subject][]S{}
	for i := range samples {
		s := about(&samples[i])
		if runs[s] == nil {
			order = append(order, s)
		}
		runs[s] = append(runs[s], samples[i])
	}
	for _, s := range order {
		row := s.cells()
		for _, c := range columns {
			row = append(row, c.cell(runs[s]))
		}
		rows = append(rows, row)
	}
	return rows
}

// results are all figures of a run.
type results struct {
	Command  string
	Machine  string
	Samples  []sample
	Crowds   []crowdSample
	Failures []string `json:",omitempty"`
}

// failed notes the failure of a case, if it is one, and reports whether there are no figures.
func (r *results) failed(ctx context.Context, about subject, err error) bool {
	if err == nil {
		return false
	}
	if ctx.Err() == nil {
		r.Failures = append(r.Failures, fmt.Sprintf("%v: %v", about, err))
		fmt.Fprintln(os.Stderr, r.Failures[len(r.Failures)-1])
	}
	return true
}

func commandLine(args []string) string {
	return strings.TrimSpace("go run ./cmd/fanout " + strings.Join(args, " "))
}

// machine is what the figures depend on beside the servers.
func machine() string {
	s := fmt.Sprintf("%d processors, %s", runtime.NumCPU(), runtime.Version())
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		s += ", Linux " + strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control"); err == nil {
		s += ", TCP " + strings.TrimSpace(string(b))
	}
	return s
}

// report writes the tables, and all figures to a file if it has a name.
func (r *results) report(w io.Writer, file string) error {
	tables := [][][]string{
		table(r.Samples, func(s *sample) subject { return s.subject }, steadyColumns()),
		table(r.Crowds, func(s *crowdSample) subject { return s.subject }, crowdColumns()),
	}
	for _, t := range tables {
		if err := writeText(w, t); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(w, "`%s` (%s)\n\n", r.Command, r.Machine); err != nil {
		return err
	}
	for _, t := range tables {
		if err := writeMarkdown(w, t); err != nil {
			return err
		}
	}
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

func writeText(w io.Writer, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t")+"\t")
	}
	fmt.Fprintln(t)
	return t.Flush()
}

func writeMarkdown(w io.Writer, rows [][]string) error {
	for i, row := range rows {
		text := "| " + strings.Join(row, " | ") + " |\n"
		if i == 0 {
			text += strings.Repeat("|---", len(row)) + "|\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := io.WriteString(w, "\n")
	return err
}
