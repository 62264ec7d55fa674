package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/headwater-live/headwater/actors/supervise"
)

// Who can be made to fail: what is of one broadcast often, what is the node's own seldom, as a node
// gives up after six failures in ten seconds.
var (
	localKinds = []string{
		"topic", "gate", "rendition", "ingest", "relay", "edge_topic", "viewer", "viewers", "edge",
		"broadcast", "renditions", "processing",
	}
	workers   = localKinds[:7]
	nodeKinds = []string{"directory", "settings", "load", "broadcasts", "edges", "listeners"}
)

// nodePause keeps the failures of the node's own actors apart.
const nodePause = 4 * time.Second

// fault makes something go wrong, and plans the next time.
func (w *world) fault() {
	if !w.faulty() {
		return
	}
	w.in(w.plan.every/2+w.upTo(w.plan.every), w.fault)
	switch w.rng.IntN(10) {
	case 0, 1, 2:
		w.crash(w.victim(localKinds))
	case 3, 4:
		w.blow(w.victim(workers), 3)
	case 5:
		if time.Since(w.lastNode) < nodePause {
			return
		}
		w.lastNode = time.Now()
		if kind := nodeKinds[w.rng.IntN(len(nodeKinds))]; w.rng.IntN(2) == 0 {
			w.crash(w.victim([]string{kind}))
		} else {
			w.blow(w.victim([]string{"directory", "settings"}), 1)
		}
	case 6:
		w.storm(w.victim(localKinds), 2+w.rng.IntN(6))
	case 7:
		who := w.victim(workers)
		w.trace.add(who, "starve", "")
		w.dispatcher.starve(who, time.Now().Add(w.upTo(4*time.Second)))
	case 8:
		w.overload()
	case 9:
		k := w.keys[w.rng.IntN(len(w.keys))]
		w.trace.add(k.name, "crowd", "")
		for range min(3+w.rng.IntN(8), maxViewers-len(w.viewers)) {
			w.in(w.upTo(20*time.Millisecond), func() { w.join(k, 0) })
		}
	}
}

// victim draws a live actor of one of the kinds, "" when there is none.
func (w *world) victim(kinds []string) string {
	pids := w.census.PIDs(kinds[w.rng.IntN(len(kinds))])
	if len(pids) == 0 {
		return ""
	}
	return pids[w.rng.IntN(len(pids))]
}

// crash has an actor fail when its turn comes to read that it should.
func (w *world) crash(pid string) {
	if pid != "" {
		w.counts.crashes++
		w.trace.add(pid, "crash", "")
		w.send(pid, &supervise.Crash{Reason: "simulated"})
	}
}

// blow has an actor fail at its next message, whatever that is, and perhaps at the one after.
func (w *world) blow(pid string, times int) {
	if pid == "" {
		return
	}
	for i := range 1 + w.rng.IntN(times) {
		after := w.rng.IntN(2) == 0
		w.in(time.Duration(i)*w.upTo(50*time.Millisecond), func() {
			if w.faulty() {
				w.counts.crashes++
				w.trace.add(pid, "bomb", fmt.Sprint("after ", after))
				w.bombs[pid] = bomb{after: after}
			}
		})
	}
}

// storm has an actor fail again and again, perhaps until its supervisor is spent.
func (w *world) storm(pid string, times int) {
	for i := range times {
		w.in(time.Duration(i)*w.upTo(400*time.Millisecond), func() {
			if w.faulty() {
				w.crash(pid)
			}
		})
	}
}

// maxViewers bounds the crowd, and maxOverloads the floods, for the sake of the run's time.
const (
	maxViewers   = 16
	maxOverloads = 2
)

// overload keeps a topic or relay from its mailbox while a publisher catches up.
func (w *world) overload() {
	who := w.victim([]string{"topic", "gate", "rendition", "edge_topic", "relay"})
	if who == "" || w.overloads == maxOverloads {
		return
	}
	w.overloads++
	w.trace.add(who, "overload", "")
	w.dispatcher.starve(who, time.Now().Add(2*time.Second))
	for _, k := range w.keys {
		if s := k.session; s != nil && s.up && strings.Contains(who, "/"+k.name) {
			for range 250 + w.rng.IntN(100) {
				w.in(w.upTo(time.Second), s.extra)
			}
		}
	}
}

// extra makes an interval's media out of turn: a publisher who sends faster than in real time.
func (s *session) extra() {
	if !s.over {
		s.skew += 30
		s.tickOnce()
	}
}
