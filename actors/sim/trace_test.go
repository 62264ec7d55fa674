package sim

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"strings"
	"time"
)

// trace is what happened, in order: a hash of it, and its lines when somebody reads them.
type trace struct {
	began time.Time
	sum   interface {
		io.Writer
		Sum64() uint64
	}
	lines int
	out   io.Writer // nil when nobody reads it
	tail  []string  // the latest lines, for a failure's report
}

// tailLines is how much of the trace a failure shows.
const tailLines = 40

func newTrace(out io.Writer) *trace {
	return &trace{began: time.Now(), sum: fnv.New64a(), out: out}
}

// add notes that something happened to someone.
func (t *trace) add(who, what, detail string) {
	t.lines++
	at := time.Since(t.began).Seconds()
	line := fmt.Sprintf("%12.6f %-44s %-28s %s\n", at, short(who), what, detail)
	_, _ = io.WriteString(t.sum, line)
	if t.out != nil {
		_, _ = io.WriteString(t.out, line)
	}
	if len(t.tail) == tailLines {
		copy(t.tail, t.tail[1:])
		t.tail = t.tail[:tailLines-1]
	}
	t.tail = append(t.tail, line)
}

// short is a PID without what all have in common.
func short(who string) string { return strings.TrimPrefix(who, "node/") }

func (t *trace) hash() uint64 { return t.sum.Sum64() }

// logs makes lines of the trace of what actors log.
type logs struct {
	trace *trace
	who   string
}

// Enabled implements slog.Handler.
func (logs) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler. Stacks differ from one run to the next and are left out.
func (l logs) Handle(_ context.Context, r slog.Record) error {
	var detail strings.Builder
	detail.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "stack" {
			fmt.Fprintf(&detail, " %s=%v", a.Key, a.Value)
		}
		return true
	})
	l.trace.add(l.who, r.Level.String(), detail.String())
	return nil
}

// WithAttrs implements slog.Handler.
func (l logs) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == "actor" {
			l.who = a.Value.String()
		}
	}
	return l
}

// WithGroup implements slog.Handler.
func (l logs) WithGroup(string) slog.Handler { return l }
