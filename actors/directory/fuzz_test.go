package directory

import (
	"fmt"
	"testing"
	"time"
)

// No order of messages panics, grants an epoch twice or below another, leaves a claim without an
// answer, ends a broadcast for a claim that has no epoch, or leaves the registrar with another
// belief than what is here and followed.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 2, 1, 1, 9}, false)
	f.Add([]byte{0, 10, 20, 0, 30, 11, 21, 0, 0, 5, 15, 0, 25, 4, 3, 2, 1}, false)
	f.Add([]byte{0, 10, 23, 2, 0, 11, 24, 7, 18, 12, 0, 0, 13, 25, 6, 17, 20, 12, 15, 9}, true)
	f.Fuzz(func(t *testing.T, script []byte, clustered bool) {
		w := &fuzzed{scene: newScene(t), granted: map[uint64]bool{}}
		if clustered {
			w.machine = newMachine(Options{Registrar: who("r")}, &memory{})
		}
		for _, b := range script {
			w.now = w.now.Add(time.Duration(b) * time.Millisecond)
			w.step(b)
			w.collect()
		}
		for e := w.entries["live/a"]; e != nil && len(e.claims) > 0; {
			w.silent("live/a", e.turn, w.now)
			w.collect()
		}
		if w.answers != w.claims {
			t.Fatalf("%d claims, %d answers", w.claims, w.answers)
		}
		if e := w.entries["live/a"]; clustered && e != nil {
			w.unkept("live/a", w.now.Add(time.Hour))
			w.collect()
			w.believes(e)
		}
	})
}

// fuzzed is a machine to which anything happens, and what its registrar believes.
type fuzzed struct {
	*scene
	claims, answers int
	granted         map[uint64]bool
	highest         uint64
	asked           *Reserve
	epoch           uint64 // the registrar's latest
	here            *Here
	interest        bool
}

func (w *fuzzed) step(b byte) {
	n := uint64(b / 14 % 6)
	name := fmt.Sprintf("t%d", n)
	switch b % 14 {
	case 0, 1:
		w.claims++
		w.asks("p", Policy(b%14))
	case 2, 3:
		w.announces(name, n, b%14 == 2)
	case 4:
		w.withdraw(&Withdraw{Key: "live/a", Epoch: n}, w.now)
	case 5:
		w.superseded(&Superseded{Key: "live/a", Epoch: n, Last: 1, HasLast: true}, w.now)
	case 6:
		w.departs(name)
	case 7:
		w.follow(&Follow{Key: "live/a", Follower: who("f" + name), Epoch: n}, w.now)
	case 8:
		w.unfollow(&Unfollow{Key: "live/a", Follower: who("f" + name)}, w.now)
	case 9:
		if e := w.entries["live/a"]; e != nil {
			w.silent("live/a", e.turn-int(n%2), w.now)
		}
	case 10:
		w.departs("f" + name)
	case 11:
		if w.asked != nil { // now and then one that is too low, or comes twice
			w.epoch = max(w.epoch, w.asked.Floor) + n
			w.reservedFor(&Reserved{Key: "live/a", Turn: w.asked.Turn, Epoch: w.epoch}, w.now)
		}
	case 12:
		if w.asked != nil {
			w.unreserved(&Unreserved{Key: "live/a", Turn: w.asked.Turn}, w.now)
		}
	case 13:
		w.ends(&Outdated{Key: "live/a", Epoch: n, Node: "o"}, w.now)
	}
}

func (w *fuzzed) collect() {
	for _, o := range w.out.Take() {
		switch msg := o.Msg.(type) {
		case *Granted:
			w.answers++
			if w.granted[msg.Epoch] || msg.Epoch < w.highest {
				w.t.Fatalf("epoch %d is granted after %d", msg.Epoch, w.highest)
			}
			w.granted[msg.Epoch], w.highest = true, msg.Epoch
		case *Refused:
			w.answers++
		case *Supersede:
			if e := w.entries["live/a"]; msg.Epoch > e.epoch && w.Registrar != nil && e.reserved == 0 {
				w.t.Fatalf("%s is superseded by %d, which nobody has", o.To.Id, msg.Epoch)
			}
		case *Reserve:
			w.asked = msg
		case *Here:
			w.here = msg
		case *NotHere:
			if w.here == nil || w.here.Epoch != msg.Epoch {
				w.t.Fatalf("%d is not here, of %+v", msg.Epoch, w.here)
			}
			w.here = nil
		case *Locate:
			w.interest = true
		case *Forget:
			w.interest = false
		}
	}
}

func (w *fuzzed) believes(e *entry) {
	w.t.Helper()
	switch {
	case (w.here != nil) != (e.current != nil),
		w.here != nil && (w.here.Epoch != e.carried || w.here.Publishing != e.publishing):
		w.t.Fatalf("the registrar believes %+v, here is %v %d", w.here, e.current, e.carried)
	case w.interest != (len(e.followers) > 0):
		w.t.Fatalf("interest %v with %d followers", w.interest, len(e.followers))
	}
}
