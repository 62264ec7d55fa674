package link

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

var worlds = flag.Int("worlds", 60, "how many seeds TestWhateverTheWireDoes runs")

// world is two nodes, a wire between them, and what happens to it.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	o       *origin
	e       *edge
	c       *connection
	keys    []string
	sources map[string][]*source // by key, an epoch each
	got     map[string]*received
	log     []string
}

// TestWhateverTheWireDoes has wires that stall, crawl, delay and break under broadcasts that begin
// anew and are sealed. Whatever arrives is what was sent, in order, decodes, and is behind the seal
// that was before it; and once the wire is well, everybody has the newest unit.
func TestWhateverTheWireDoes(t *testing.T) {
	for seed := range uint64(*worlds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runWorld(t, seed) })
		})
	}
}

func runWorld(t *testing.T, seed uint64) {
	w := &world{
		t: t, rng: seeded(seed), o: newOrigin(), e: newEdge(t), keys: []string{"a", "b", "c"},
		sources: map[string][]*source{}, got: map[string]*received{},
	}
	for _, key := range w.keys {
		w.got[key] = w.e.subscribe(key)
	}
	for range 120 {
		w.step()
		pass(time.Duration(w.rng.IntN(60)) * time.Millisecond)
	}
	w.heal()
	for _, key := range w.keys {
		w.check(key)
	}
	w.c.close(t)
	for key, all := range w.sources {
		for _, s := range all {
			if n := s.tap.ring.Watchers(); n != 0 {
				t.Errorf("%s: %d watchers are left", key, n)
			}
		}
	}
	if t.Failed() {
		t.Logf("seed %d: %v", seed, w.log)
	}
}

func (w *world) step() {
	key := w.keys[w.rng.IntN(len(w.keys))]
	all := w.sources[key]
	switch n := w.rng.IntN(40); {
	case len(all) == 0 || n == 0:
		s := w.o.begin(key, uint64(len(all)+1), topic.Limits{Bytes: 1 << 20, Time: 3 * media.Second})
		s.gop, s.size = 5+w.rng.IntN(20), 100+w.rng.IntN(8000)
		w.sources[key] = append(all, s)
		w.note("epoch %s", key)
	case n == 1:
		s := all[len(all)-1]
		if seal := s.machine.Seal(&topic.Seal{}); seal != nil {
			w.e.mu.Lock()
			w.e.seals[key] = append(w.e.seals[key], seal)
			w.e.mu.Unlock()
		}
		s.tap.ring.Tell()
		w.note("seal %s", key)
	case n == 2 || w.c == nil:
		w.connect()
	case n == 3:
		w.c.set(toEdge, func(h *half) { h.rate = 10_000 + w.rng.IntN(300_000) })
		w.note("slow")
	case n == 4:
		w.c.set(toEdge, func(h *half) { h.rate, h.held, h.delay = 0, false, 0 })
		w.note("well")
	case n == 5:
		w.c.set(w.rng.IntN(2), func(h *half) { h.held = true })
		w.note("held")
	case n == 6:
		w.c.set(toEdge, func(h *half) { h.delay = time.Duration(w.rng.IntN(400)) * time.Millisecond })
		w.note("delay")
	default:
		all[len(all)-1].frames(1+w.rng.IntN(4), false)
	}
	if w.c != nil && anyOver(w.c) { // it was silent
		w.connect()
	}
}

// anyOver reports whether an end of the connection is over.
func anyOver(c *connection) bool {
	select {
	case <-c.ended[0]:
		return true
	case <-c.ended[1]:
		return true
	default:
		return false
	}
}

func (w *world) connect() {
	if w.c != nil {
		w.c.close(w.t)
	}
	w.c = connect(w.t, w.o, w.e, 8<<10+w.rng.IntN(256<<10), time.Second)
	w.note("connect")
	synctest.Wait()
}

// heal gives the nodes a good wire, and each broadcast a keyframe and what is behind it.
func (w *world) heal() {
	w.connect()
	for _, key := range w.keys {
		if len(w.sources[key]) == 0 {
			w.sources[key] = append(w.sources[key], w.o.begin(key, 1, topic.DefaultLimits()))
		}
		all := w.sources[key]
		all[len(all)-1].frames(40, true)
	}
	pass(5 * time.Second)
	synctest.Wait()
}

func (w *world) check(key string) {
	r := w.got[key]
	checkDecodes(w.t, r)
	sent := map[place]*topic.Unit{}
	var last place
	for _, s := range w.sources[key] {
		for _, u := range s.sent {
			last = place{u.Epoch, u.Seq}
			sent[last] = u
		}
	}
	var before place
	for _, u := range r.units {
		at := place{u.Epoch, u.Seq}
		if at.epoch < before.epoch || at.epoch == before.epoch && at.seq <= before.seq {
			// A header that was lost on the way comes by the unit that is under it.
			if u.Role != media.SequenceHeader {
				w.t.Errorf("%s: %v is behind %v", key, at, before)
			}
			continue
		}
		before = at
		if sent[at] == nil {
			w.t.Fatalf("%s: %v was never sent", key, at)
		}
		if u.Role != media.SequenceHeader && string(u.Body) != string(sent[at].Body) {
			w.t.Fatalf("%s: %v has other bytes", key, at)
		}
	}
	if before != last {
		w.t.Errorf("%s: ends with %v, not %v", key, before, last)
	}
	if entry := r.ring.Entry(); entry == nil {
		w.t.Errorf("%s: there is nowhere to begin", key)
	}
	w.sealed(key)
}

// sealed holds that the newest seal of the present epoch has arrived.
func (w *world) sealed(key string) {
	all := w.sources[key]
	want := all[len(all)-1].tap.ring.Sealed()
	if got := w.got[key].ring.Sealed(); want != nil && (got == nil || *got != *want) {
		w.t.Errorf("%s: sealed is %v, not %v", key, got, want)
	}
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}
