package process

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/actors/settings"
)

// childArg makes a child process of this test's own binary.
const childArg = "process-child"

func child() int {
	if err := Child(os.NewFile(ChildSocket, "socket")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func inChild() Options {
	return Options{
		Isolation: Isolation{Process: true, Command: []string{os.Args[0], childArg}, Nice: 5},
		Drills:    true, Slots: NewSlots(2),
	}
}

// children are the process ids of this process' children.
func children(t testing.TB) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// spawned is a child on its own, without an actor.
func spawned(b testing.TB) (engine, *kid) {
	b.Helper()
	m, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	group := own.NewGroup(&own.Counts{}, func(p *own.Panic) { b.Error(p) })
	b.Cleanup(func() { group.Stop(wait) })
	o := inChild()
	e, err := spawn(b.Context(), group, &o.Isolation, childOptions{
		Pipeline: PipelineOptions{Rendition: settings.Rendition{Bitrate: 3_000_000}},
		Memory:   DefaultMemory,
	}, m, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	return e, e.(*isolated).kid
}

// A child makes what the pipeline here makes, to the byte.
func TestChildIsTheSame(t *testing.T) {
	source := clip(t, recipe{args: "-bf 2 -b_strategy 0", frames: 60})
	o := blurring(3, settings.Gaussian)
	o.From = source[5].PTS()
	g := newRig(t, settings.Rendition{Bitrate: 3_000_000})
	e, k := spawned(t)
	defer k.close()
	here := g.Order(o)
	there, err := e.order(&o)
	if err != nil || here != there {
		t.Errorf("the order holds from %v here, from %v there, %v", here, there, err)
	}
	n := 0
	for _, u := range source {
		g.push(1, u)
		r, err := e.push(u, 1, func(o *Output) error {
			want := g.outputs[n]
			n++
			if !bytes.Equal(o.Unit.Tail, want.Unit.Tail) || !bytes.Equal(o.Record, want.Record) ||
				o.Unit.DTS != want.Unit.DTS || o.Seq != want.Seq || o.Version != want.Version {
				t.Errorf("output %+v, want %+v", o, want)
			}
			return nil
		})
		if err != nil || r.Decoded > 0 && r.Decode == 0 {
			t.Fatal(r, err)
		}
	}
	if n != len(g.outputs) || n < 50 {
		t.Errorf("%d outputs, want %d", n, len(g.outputs))
	}
}

// An actor whose pipeline is in a child is like any other, and leaves none behind.
func TestChild(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0", frames: 60})
	o := blurring(3, settings.Gaussian)
	s := newScene(t, inChild(), &o)
	s.feed(source...)
	s.until("the last", func() bool {
		return len(s.outputs) > 5 && s.outputs[len(s.outputs)-1].Unit.PTS() >= source[57].PTS()
	})
	seen := s.seen()
	for i, out := range seen.outputs {
		if err := sound(out, seen.outputs[:i]); err != nil {
			t.Error(err)
		}
		if out.Name != "processed" || out.Incarnation != seen.hellos[0].Incarnation {
			t.Errorf("output %+v", out)
		}
	}
	for _, p := range decode(t, seen.outputs) {
		if r := p.readable(p.quarter()); r > 4 {
			t.Errorf("%v: the marker reads %.1f", p.pts, r)
		}
	}
	s.stop()
	if left := children(t); len(left) > 0 {
		t.Errorf("children %v are left", left)
	}
}

// A child that dies costs a restart: the order is asked for again, and pictures come again.
func TestChildDies(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0", frames: 60})
	kill := func(sig syscall.Signal) func(*scene) {
		return func(s *scene) {
			pids := children(s.t)
			if len(pids) != 1 {
				s.t.Fatalf("children %v", pids)
			}
			if err := syscall.Kill(pids[0], sig); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		do   func(*scene)
		says string
	}{
		{"kill", kill(syscall.SIGKILL), "signal SIGKILL"},
		{"stop", kill(syscall.SIGSTOP), "one unit has taken"},
		{"abort", kill(syscall.SIGABRT), "signal SIGABRT"},
		{"segfault", func(s *scene) { s.system.Root.Send(s.actor, &Segfault{}) }, "signal SIGSEGV"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := blurring(3, settings.Pixelate)
			options := inChild()
			options.Deadline = time.Second
			s := newScene(t, options, &o)
			s.feed(source[:31]...)
			s.untilOutputs(5)
			c.do(s)
			begun := time.Now()
			s.feed(source[31:36]...)
			s.until("a restart", func() bool { return len(s.ready) == 2 && len(s.applied) == 2 })
			t.Logf("back after %v", time.Since(begun))
			n := len(s.seen().outputs)
			s.feed(source[36:]...)
			s.until("pictures again", func() bool {
				return len(s.outputs) > n && s.outputs[len(s.outputs)-1].Unit.PTS() >= source[57].PTS()
			})
			if !s.logged(c.says) {
				t.Errorf("nothing in the log says %q", c.says)
			}
			s.stop()
			if left := children(t); len(left) > 0 {
				t.Errorf("children %v are left", left)
			}
		})
	}
}

// A child whose memory is bounded too tightly ends, and is no more than a failing actor.
func TestChildMemory(t *testing.T) {
	o := blurring(3, settings.Pixelate)
	options := inChild()
	options.Isolation.Memory = 48 << 20
	s := newScene(t, options, &o)
	s.feed(clip(t, recipe{size: "1080x1920", args: "-bf 0", frames: 20})...)
	s.until("a restart", func() bool { return len(s.hellos) > 1 || len(s.faults) > 0 })
}

// Without drills a child is not asked to fail.
func TestDrillRefused(t *testing.T) {
	o := emitting(1)
	options := inChild()
	options.Drills = false
	s := newScene(t, options, &o)
	s.system.Root.Send(s.actor, &Segfault{})
	s.feed(clip(t, recipe{args: "-bf 0", frames: 10})...)
	s.untilOutputs(2)
	if len(s.seen().hellos) != 1 {
		t.Error("the actor was restarted")
	}
}

// A child that cannot be started fails its actor, with a reason.
func TestChildMissing(t *testing.T) {
	for _, command := range [][]string{nil, {"/nonexistent"}, {"/bin/true"}} {
		s := newScene(t, Options{Isolation: Isolation{Process: true, Command: command}}, nil)
		s.until("restarts", func() bool { return len(s.hellos) > 1 })
	}
}
