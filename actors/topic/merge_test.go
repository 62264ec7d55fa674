package topic

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// funnel is a merge in front of a machine, fed as the topic's actor does, at virtual times.
type funnel struct {
	*merge
	now     time.Time
	entered []*Unit
	refused map[error]int
}

func newFunnel(p Patience) *funnel {
	f := &funnel{now: time.Unix(1e9, 0), refused: map[error]int{}}
	f.merge = &merge{patience: p, machine: NewMachine(NewRing(DefaultLimits()))}
	return f
}

func (f *funnel) push(u *Unit, in func(*Unit) (*Unit, error)) {
	entered, err := in(u)
	if err != nil {
		f.refuse(u, err)
		return
	}
	f.entered = append(f.entered, entered)
}

func (f *funnel) refuse(_ *Unit, err error) {
	for _, reason := range lossReasons() {
		if errors.Is(err, reason) {
			f.refused[reason]++
		}
	}
}

func (f *funnel) take(u *Unit) {
	if f.idle(u) {
		f.push(u, f.machine.Push)
		return
	}
	if err := f.unit(u, f.now); err != nil {
		f.refuse(u, err)
	}
	f.release()
}

func (f *funnel) adopt(units []*Unit) {
	f.snapshot(units, f.now, f.refuse)
	f.release()
}

func (f *funnel) release() {
	for {
		u, anew, ok := f.next(f.now)
		if !ok {
			f.machine.ring.Publish()
			return
		}
		in := f.machine.Push
		if anew {
			in = f.machine.Adopt
		}
		f.push(u, in)
	}
}

// advance lets time pass, and wakes up where the actor would.
func (f *funnel) advance(d time.Duration) {
	end := f.now.Add(d)
	for len(f.held) > 0 && !f.deadline().After(end) {
		if at := f.deadline(); at.After(f.now) {
			f.now = at
		}
		f.release()
	}
	f.now = end
}

// parse reads words such as "K3": the units of an epoch, their times in step with their numbers.
func parse(t *testing.T, epoch uint64, words string) (units []*Unit) {
	t.Helper()
	for word := range strings.FieldsSeq(words) {
		var letter byte
		var seq uint64
		if _, err := fmt.Sscanf(word, "%c%d", &letter, &seq); err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		units = append(units, unit(epoch, seq, letter, media.Time(seq)*10*ms))
	}
	return units
}

// play carries out a script: units that come live, "[...]" a snapshot, "2:" of another epoch from
// here on, "+100" a time in milliseconds that passes.
func (f *funnel) play(t *testing.T, script string) {
	t.Helper()
	epoch, snapshot, adopting := uint64(1), []*Unit(nil), false
	for word := range strings.FieldsSeq(script) {
		var n int
		switch {
		case word == "[":
			snapshot, adopting = nil, true
		case word == "]":
			f.adopt(snapshot)
			adopting = false
		case word[0] == '+':
			_, _ = fmt.Sscan(word[1:], &n)
			f.advance(time.Duration(n) * time.Millisecond)
		case strings.HasSuffix(word, ":"):
			_, _ = fmt.Sscan(word[:len(word)-1], &epoch)
		case adopting:
			snapshot = append(snapshot, parse(t, epoch, word)...)
		default:
			f.take(parse(t, epoch, word)[0])
		}
	}
}

// mergeCase is a script and what comes of it.
type mergeCase struct {
	patience     Patience
	script, want string
	fates        fates
	gaps         uint64
	held         int
}

func mergeCases() map[string]mergeCase {
	few := Patience{Time: 300 * time.Millisecond, Units: 3, Bytes: 1 << 20}
	small := Patience{Time: 300 * time.Millisecond, Units: 99, Bytes: 3 * (20 + overhead)}
	return map[string]mergeCase{
		"in order": {script: "V1 K2 f3 f4", want: "V1 K2 f3 f4"},
		"twice":    {script: "V1 V1 K2 K2 f3 f3 f2", want: "V1 K2 f3"},
		"a hole is filled": {
			script: "V1 K2 f5 f6 +100 f3 f3 +100 f4 f7", want: "V1 K2 f3 f4 f5 f6 f7",
			fates: fates{1, 1, 0},
		},
		"a hole is open": {
			script: "V1 K2 f5 f6 +299 f6 f3", want: "V1 K2 f3", fates: fates{1, 0, 0}, held: 2,
		},
		"it is given up": {
			script: "V1 A2 K3 f5 a6 +300 f7 f4 K8 f9", want: "V1 A2 K3 a6 K8 f9",
			fates: fates{1, 0, 1}, gaps: 1,
		},
		"filled in parts": {
			script: "V1 K2 f9 +100 f5 f6 f3 f4 +100 f7 f8", want: "V1 K2 f3 f4 f5 f6 f7 f8 f9",
			fates: fates{1, 1, 0},
		},
		"the second hole has its own time": {
			script: "V1 A2 a4 +200 a6 +100 a7 +199 a5 a8", want: "V1 A2 a4 a5 a6 a7 a8",
			fates: fates{2, 1, 1}, gaps: 1,
		},
		"both are overdue": {
			script: "V1 A2 a4 a6 +300", want: "V1 A2 a4 a6", fates: fates{2, 0, 2}, gaps: 2,
		},
		"too many units": {
			patience: few, script: "V1 A2 a5 a6 a7 a4 a8", want: "V1 A2 a4 a5 a6 a7 a8",
			fates: fates{1, 0, 1}, gaps: 1,
		},
		"too many bytes": {
			patience: small, script: "V1 A2 a5 a6 a7 a8 a9", want: "V1 A2 a5 a6 a7 a8 a9",
			fates: fates{1, 0, 1}, gaps: 1,
		},
		"a hole that is too large": {
			script: "V1 A2 a204 a405", want: "V1 A2 a204", gaps: 1, fates: fates{2, 0, 1}, held: 1,
		},
		"the first snapshot": {script: "[ V1 A2 K7 f8 ] f9", want: "V1 A2 K7 f8 f9"},
		"headers first": {
			script: "[ V1 A2 ] f7 a8 K9", want: "V1 A2 a8 K9", gaps: 1,
		},
		"a snapshot of what is had": {script: "V1 K2 f3 [ V1 K2 f3 ] f4", want: "V1 K2 f3 f4"},
		"a snapshot fills": {
			script: "V1 K2 f3 f6 [ V1 K2 f3 f4 f5 f6 ] f7", want: "V1 K2 f3 f4 f5 f6 f7",
			fates: fates{1, 1, 0},
		},
		"a snapshot ahead, another upstream between": {
			script: "V1 A2 K3 [ V1 A2 K8 f9 ] f4 f5 f6 +250 f7 f10",
			want:   "V1 A2 K3 f4 f5 f6 f7 K8 f9 f10", fates: fates{1, 1, 0},
		},
		"a snapshot ahead, nobody between": {
			script: "V1 A2 K3 [ V1 A2 K8 f9 ] f10 +300 f11", want: "V1 A2 K3 K8 f9 f10 f11",
			fates: fates{1, 0, 1},
		},
		"a new epoch": {
			script: "V1 A2 K3 f5 a6 2: V1 K2 f3 1: f4 a7", want: "V1 A2 K3 a6 V1 K2 f3",
			fates: fates{1, 0, 1}, gaps: 1,
		},
		"a new epoch's snapshot": {
			script: "V1 A2 K3 f5 2: [ V1 K5 f6 ] f7 1: [ V1 A2 K3 f4 ]",
			want:   "V1 A2 K3 V1 K5 f6 f7", fates: fates{1, 0, 1}, gaps: 1,
		},
		"a new epoch in the midst": {
			script: "V1 A2 K3 2: f7 V9 K10 f11 +300", want: "V1 A2 K3 V9 K10 f11",
			fates: fates{1, 0, 1}, gaps: 1,
		},
	}
}

func TestMerge(t *testing.T) {
	for name, c := range mergeCases() {
		t.Run(name, func(t *testing.T) {
			if c.patience == (Patience{}) {
				c.patience = DefaultPatience()
			}
			f := newFunnel(c.patience)
			f.play(t, c.script)
			if got := letters(f.entered); got != c.want {
				t.Errorf("%s\nmakes %s,\nwant  %s", c.script, got, c.want)
			}
			if f.fates != c.fates || f.machine.Gaps() != c.gaps || len(f.held) != c.held {
				t.Errorf("holes %+v, %d gaps, %d held; want %+v, %d, %d",
					f.fates, f.machine.Gaps(), len(f.held), c.fates, c.gaps, c.held)
			}
			if c.held == 0 && f.bytes != 0 {
				t.Errorf("nothing is held, %d bytes are counted", f.bytes)
			}
		})
	}
}
