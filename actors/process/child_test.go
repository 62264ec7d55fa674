package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

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

// A child makes what the pipeline here makes, to the byte.
func TestChild(t *testing.T) {
	source := clip(t, recipe{args: "-bf 2 -b_strategy 0", frames: 60})
	o := blurring(3, settings.Gaussian)
	o.From = source[5].PTS()
	s := newScene(t, inChild(), &o)
	for i, u := range source {
		s.feed(u)
		s.untilOutputs(i - 9) // five are before From, the header is none, two are held back
	}
	g := newRig(t, settings.Rendition{})
	g.Order(o)
	g.push(1, source...)
	for i, out := range s.outputs {
		if err := sound(out, s.outputs[:i]); err != nil {
			t.Error(err)
		}
		if out.Name != "processed" || out.Incarnation != s.hellos[0].Incarnation || out.Version != 3 {
			t.Errorf("output %+v", out)
		}
	}
	for _, p := range decode(t, s.outputs) {
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
			s.untilOutputs(20)
			c.do(s)
			begun := time.Now()
			s.feed(source[31:36]...)
			s.until("a restart", func() bool { return len(s.ready) == 2 && len(s.applied) == 2 })
			t.Logf("back after %v", time.Since(begun))
			n := len(s.outputs)
			s.feed(source[36:]...)
			s.until("pictures again", func() bool {
				return len(s.outputs) > n && s.outputs[len(s.outputs)-1].Unit.PTS() == source[60].PTS()
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
	s.untilOutputs(5)
	if len(s.hellos) != 1 {
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
