package supervise

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// script runs a machine through a scenario: on each line what happens, an arrow, and what the
// machine does about it. Time stands still but for "wait".
type script struct {
	t   *testing.T
	m   *machine
	now time.Time
}

func run(t *testing.T, spec Spec, lines string) {
	t.Helper()
	s := &script{t: t, now: time.Unix(0, 0)}
	s.m = newMachine(&spec, func() float64 { return 0 })
	for line := range strings.Lines(lines) {
		event, want, _ := strings.Cut(line, "=>")
		if event = strings.TrimSpace(event); event == "" {
			continue
		}
		s.event(strings.Fields(event))
		if got := describe(s.m.take()); got != strings.TrimSpace(want) {
			t.Errorf("%s => %s, want %s", event, got, strings.TrimSpace(want))
		}
	}
}

func (s *script) event(words []string) {
	m, name := s.m, ""
	if len(words) > 1 {
		name = words[1]
	}
	switch words[0] {
	case "begin":
		m.begin()
	case "up":
		m.isUp(name, m.child(name).starts)
	case "old-up":
		m.isUp(name, m.child(name).starts-1)
	case "fail":
		m.isFailed(name, errors.New("boom"), s.now)
	case "ended":
		m.isTerminated(name, s.now)
	case "pause":
		m.pauseOver(name, m.child(name).timer)
	case "old-pause":
		m.pauseOver(name, m.child(name).timer-1)
	case "lingered":
		m.lingered(m.linger)
	case "old-linger":
		m.lingered(m.linger - 1)
	case "add":
		if c, fresh := m.add(&Spec{Name: name}); c == nil || !fresh {
			m.emit(effect{op: opRebind, child: &child{spec: &Spec{Name: name}}, name: "refused"})
		}
	case "no-spawn":
		m.spawnFailed(m.child(name), errors.New("taken"))
	case "end":
		m.end(name)
	case "overdue":
		m.overdue(name)
	case "shutdown":
		m.shutdown()
	case "halt":
		m.halt()
	case "wait":
		s.now = s.now.Add(duration(s.t, name))
	default:
		s.t.Fatalf("no such event: %v", words)
	}
}

// describe writes effects as a scenario does.
func describe(effects []effect) string {
	words := make([]string, 0, len(effects))
	for _, e := range effects {
		words = append(words, e.String())
	}
	return strings.Join(words, ", ")
}

func (e effect) String() string {
	name := ""
	if e.child != nil {
		name = " " + e.child.spec.Name
	}
	switch e.op {
	case opTimer, opLinger:
		return fmt.Sprintf("%s%s %v", opNames[e.op], name, e.after)
	case opRebind:
		return fmt.Sprintf("rebind%s<%s", name, e.name)
	default:
		return opNames[e.op] + name
	}
}

var opNames = [...]string{
	opSpawn: "spawn", opRestart: "restart", opStop: "stop", opAbandon: "abandon", opTimer: "timer",
	opLinger: "linger", opUp: "UP", opEscalate: "SPENT", opEnd: "END", opGone: "gone",
}

func TestMachine(t *testing.T) {
	text, err := os.ReadFile("testdata/machine.txt")
	if err != nil {
		t.Fatal(err)
	}
	scenarios := strings.Split(string(text), "\n== ")[1:]
	for _, scenario := range scenarios {
		title, rest, _ := strings.Cut(scenario, "\n")
		declaration, lines, _ := strings.Cut(rest, "\n")
		t.Run(title, func(t *testing.T) { run(t, declare(t, declaration), lines) })
	}
}

// declare reads a supervisor: "rest-for-one limit=2/1m linger=1m a b:temporary c:rebind".
func declare(t *testing.T, text string) Spec {
	t.Helper()
	spec := Spec{Name: "root"}
	for i, word := range strings.Fields(text) {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case i == 0:
			for s := OneForOne; s <= Dynamic; s++ {
				if s.String() == word {
					spec.Strategy = s
				}
			}
		case key == "linger":
			spec.Linger = duration(t, value)
		case key == "keep": // so many times
			n := len(value)
			spec.Keep = func() bool { n--; return n >= 0 }
		case key == "limit":
			limit, window, _ := strings.Cut(value, "/")
			n, err := strconv.Atoi(limit)
			if err != nil {
				t.Fatal(err)
			}
			spec.Limit = Limit{Max: n, Within: duration(t, window)}
		default:
			parts := strings.Split(word, ":")
			spec.Children = append(spec.Children, declareChild(parts[0], parts[1:]))
		}
	}
	return spec
}

func declareChild(name string, words []string) Spec {
	spec := Spec{Name: name}
	for _, word := range words {
		switch word {
		case "temporary":
			spec.Restart = Temporary
		case "transient":
			spec.Restart = Transient
		case "significant":
			spec.Significant = true
		case "rebind":
			spec.Rebind = true
		default:
			if whom, heeds := strings.CutPrefix(word, "heeds-"); heeds {
				spec.Heeds = append(spec.Heeds, whom)
			}
		}
	}
	return spec
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestStopDeadline(t *testing.T) {
	leaf := func(d time.Duration) Spec { return Spec{Stop: d} }
	for _, c := range []struct {
		name string
		spec Spec
		want time.Duration
	}{
		{"worker", Spec{}, DefaultStop},
		{"worker that says", leaf(time.Second), time.Second},
		{"one after the other", root(OneForOne, leaf(time.Second), leaf(2*time.Second)), 6 * time.Second},
		{"side by side", Spec{Strategy: Dynamic, Stop: time.Second}, 3 * time.Second},
		{"side by side, by its templates", Spec{
			Strategy: Dynamic, Stop: time.Second, Templates: []Spec{leaf(4 * time.Second)},
		}, 6 * time.Second},
	} {
		if got := c.spec.stopDeadline(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	var s Spec
	if s.limit() != defaultLimit || s.backoff() != defaultBackoff {
		t.Errorf("limit %v back-off %v", s.limit(), s.backoff())
	}
	s.Limit, s.Backoff = Limit{Max: 3}, Backoff{Min: 5 * time.Second}
	if got := s.limit(); got != (Limit{Max: 3, Within: defaultLimit.Within}) {
		t.Errorf("limit %v", got)
	}
	if got := s.backoff(); got != (Backoff{Min: 5 * time.Second, Max: 5 * time.Second}) {
		t.Errorf("back-off %v", got)
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{Min: 10 * time.Millisecond, Max: 500 * time.Millisecond}
	want := b.Min
	for n := 1; n <= 40; n++ {
		for _, jitter := range []float64{0, 0.25, 0.5, 0.999} {
			got := b.pause(n, jitter)
			if got < want/2 || got > want {
				t.Errorf("failure %d, jitter %v: %v is not in [%v, %v]", n, jitter, got, want/2, want)
			}
			if exact := want/2 + time.Duration(jitter*float64(want/2)); got != exact {
				t.Errorf("failure %d, jitter %v: %v, want %v", n, jitter, got, exact)
			}
		}
		want = min(2*want, b.Max)
	}
}
