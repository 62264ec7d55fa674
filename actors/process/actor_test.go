package process

import (
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/supervise"
)

// Told to, a rendition puts out what is published from then on, under the version it was told.
func TestActor(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0", frames: 60})
	s := newScene(t, Options{Slots: NewSlots(1)}, nil)
	s.feed(source[:21]...)
	s.until("hello and ready", func() bool { return len(s.hellos) > 0 && len(s.ready) == 1 })
	if len(s.seen().outputs) > 0 {
		t.Fatal("outputs without an order")
	}
	o := blurring(3, settings.Box)
	o.From = source[21].PTS()
	s.command(o)
	s.until("applied", func() bool { return len(s.applied) == 1 })
	if a := s.seen().applied[0]; a.Version != 3 || a.From != o.From || a.Name != "processed" {
		t.Errorf("applied %+v", a)
	}
	s.feed(source[21:]...)
	s.untilOutputs(15)
	s.until("the last", func() bool {
		return s.outputs[len(s.outputs)-1].Unit.PTS() >= source[58].PTS()
	})
	seen := s.seen()
	for i, out := range seen.outputs {
		if err := sound(out, seen.outputs[:i]); err != nil {
			t.Error(err)
		}
		if out.Version != 3 || out.Unit.PTS() < o.From || out.Incarnation != seen.hellos[0].Incarnation {
			t.Errorf("output %+v", out)
		}
	}
	s.stop()
	for _, p := range decode(t, seen.outputs) {
		if r := p.readable(p.quarter()); r > 4 {
			t.Errorf("%v: the marker reads %.1f", p.pts, r)
		}
	}
}

// A rendition that comes late begins with the newest pictures, not with all since the keyframe.
func TestActorCatchesUp(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0 -g 300", frames: 60})
	s := newScene(t, Options{}, nil)
	s.feed(source...)
	s.until("ready", func() bool { return len(s.ready) == 1 })
	s.system.Root.Send(s.actor, &supervise.Crash{Reason: "to start anew"})
	s.until("a second hello", func() bool { return len(s.ready) == 2 })
	o := emitting(1)
	s.command(o)
	s.untilOutputs(maxRetained)
	seen := s.seen()
	if n := len(seen.outputs); n != maxRetained || seen.outputs[7].Unit.PTS() != source[60].PTS() {
		t.Errorf("%d outputs", n)
	}
	if seen.ready[0].Incarnation == seen.ready[1].Incarnation {
		t.Error("both incarnations have the same number")
	}
}

// A restarted actor asks for its order and goes on with it, and so it does when the topic was
// restarted, of which it is told.
func TestActorRestarts(t *testing.T) {
	source := clip(t, recipe{args: "-bf 0", frames: 90})
	o := blurring(5, settings.Solid)
	s := newScene(t, Options{}, &o)
	s.feed(source[:31]...)
	s.untilOutputs(5)
	s.system.Root.Send(s.actor, &supervise.Crash{Reason: "drill"})
	s.until("applied twice", func() bool { return len(s.applied) >= 2 && len(s.ready) == 2 })
	n := len(s.seen().outputs)
	s.feed(source[31:61]...)
	s.untilOutputs(n + 5)
	s.system.Root.Send(s.source, &supervise.Crash{Reason: "drill"})
	s.system.Root.Send(s.actor, &supervise.Rebind{Sibling: "topic"})
	s.feed(source[61:]...)
	s.until("the last", func() bool {
		return s.outputs[len(s.outputs)-1].Unit.PTS() >= source[87].PTS()
	})
	seen := s.seen()
	if last := seen.outputs[len(seen.outputs)-1]; last.Incarnation != seen.ready[1].Incarnation {
		t.Error("a restart of the topic has cost the rendition a restart")
	}
}

// What cannot be decoded is a fault, told once; what can ends it.
func TestActorFault(t *testing.T) {
	o := blurring(5, settings.Solid)
	s := newScene(t, Options{}, &o)
	s.feed(clip(t, recipe{format: "yuv422p", frames: 5})...)
	s.until("a fault", func() bool { return len(s.faults) == 1 })
	s.feed(after(clip(t, recipe{frames: 10, args: "-bf 0"}), 1000*ms)...)
	s.untilOutputs(2)
	if faults := s.seen().faults; len(faults) != 1 {
		t.Errorf("%d faults, the last is %q", len(faults), faults[len(faults)-1].Reason)
	}
}
