package supervise

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// world is what lies around a machine: actors that live, fail and end as chance will have it, but
// only as actors can. It holds whatever the machine does against the rules.
type world struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	m      *machine
	now    time.Time
	actors map[string]*someone
	timers []timer
	linger []timer
	empty  time.Time // since when there is no child; zero while there is one
	story  []string
	over   string // how it ended: SPENT or END
	asked  bool   // to shut down
	left   bool   // a significant child ended normally
}

// someone is one actor of the world.
type someone struct {
	lives, started, failed, told bool
	spent                        bool // it is not to come back
	spawned                      bool
}

type timer struct {
	name string
	n    int
	at   time.Time
}

func (w *world) fault(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d: %s\nafter %v", w.seed, fmt.Sprintf(format, args...), w.story)
}

func (w *world) someone(name string) *someone {
	if w.actors[name] == nil {
		w.actors[name] = &someone{}
	}
	return w.actors[name]
}

// happen tells the machine of an event, and holds its effects against the rules.
func (w *world) happen(event string, tell func()) {
	w.t.Helper()
	w.story = append(w.story, event)
	was := w.over
	tell()
	effects := w.m.take()
	if was != "" && len(effects) > 0 {
		w.fault("effects after %s: %s", was, describe(effects))
	}
	for _, e := range effects {
		w.story = append(w.story, "["+e.String()+"]")
		w.check(e)
	}
	if len(w.m.children) > 0 {
		w.empty = time.Time{}
	} else if w.empty.IsZero() {
		w.empty = w.now
	}
}

func (w *world) check(e effect) {
	w.t.Helper()
	switch e.op {
	case opSpawn, opRestart:
		w.checkStart(e)
	case opStop:
		w.checkStop(e)
	case opTimer:
		spec := w.m.spec.backoff()
		if e.after < spec.Min/2 || e.after > spec.Max {
			w.fault("a pause of %v", e.after)
		}
		w.timers = append(w.timers, timer{e.child.spec.Name, e.n, w.now.Add(e.after)})
	case opLinger:
		w.linger = append(w.linger, timer{"", e.n, w.now.Add(e.after)})
	case opAbandon:
		*w.someone(e.child.spec.Name) = someone{spent: true, spawned: true}
	case opRebind:
		if a := w.someone(e.child.spec.Name); !e.child.spec.Rebind || !a.lives || a.failed {
			w.fault("%v to who cannot hear it", e)
		}
	case opEscalate, opEnd:
		w.checkEnd(e)
	case opUp, opGone:
	}
}

// checkStart: never two of a name, never one that is not to come back, in order.
func (w *world) checkStart(e effect) {
	w.t.Helper()
	a := w.someone(e.child.spec.Name)
	switch {
	case e.op == opSpawn && a.lives:
		w.fault("%v: it lives", e)
	case e.op == opRestart && (!a.lives || !a.failed || a.told):
		w.fault("%v: it has not failed, or was told to stop", e)
	case w.m.spec.Strategy != Dynamic && a.spawned && e.child.spec.Restart == Temporary, a.spent:
		w.fault("%v: it was not to come back", e)
	case w.asked || w.left:
		w.fault("%v while it stops", e)
	}
	if w.m.spec.Strategy == RestForOne {
		for _, later := range w.m.spec.Children[e.child.index+1:] {
			if !later.Rebind && w.someone(later.Name).lives {
				w.fault("%v although %s, which depends on it, lives", e, later.Name)
			}
		}
	}
	begins := w.m.spec.Strategy == OneForOne && w.m.phase == phaseStarting
	if w.m.spec.Strategy == RestForOne || begins {
		for _, before := range w.m.spec.Children[:e.child.index] {
			if b := w.someone(before.Name); !b.spawned || b.lives && (!b.started || b.failed) && !b.told {
				w.fault("%v although %s is not up", e, before.Name)
			}
		}
	}
	*a = someone{lives: true, spawned: true}
}

// checkStop: an orderly stop goes from the last to the first.
func (w *world) checkStop(e effect) {
	w.t.Helper()
	a := w.someone(e.child.spec.Name)
	if a.told && a.failed {
		return // it failed when it was told already: told again, harder
	}
	if !a.lives && e.child.status != stopping && e.child.status != departing {
		w.fault("%v: it does not live", e)
	}
	if e.child.spec.Rebind && !w.asked && !w.left && !a.spent {
		w.fault("%v: it was to be told only", e)
	}
	if w.m.spec.Strategy != Dynamic && e.child.status == stopping {
		for _, later := range w.m.spec.Children[e.child.index+1:] {
			if l := w.someone(later.Name); l.lives && (w.asked || w.left || !later.Rebind) && !l.spent {
				w.fault("%v although %s lives", e, later.Name)
			}
		}
	}
	a.told = true
	if !a.lives { // there is no actor to be told: that is seen at once
		w.m.isTerminated(e.child.spec.Name, w.now)
		for _, e := range w.m.take() {
			w.check(e)
		}
	}
}

func (w *world) checkEnd(e effect) {
	w.t.Helper()
	w.over = opNames[e.op]
	if e.op == opEscalate {
		return
	}
	lingered := w.m.spec.Linger > 0 && !w.empty.IsZero() && w.now.Sub(w.empty) >= w.m.spec.Linger
	if !w.asked && !w.left && !lingered {
		w.fault("it ends and nobody asked")
	}
	for name, a := range w.actors {
		if a.lives {
			w.fault("it ends while %s lives", name)
		}
	}
}

// pick returns the name of an actor for which ok holds.
func (w *world) pick(ok func(*someone) bool) string {
	var names []string
	for name, a := range w.actors {
		if ok(a) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return names[w.rng.IntN(len(names))]
}

func (w *world) rises(name string) {
	w.actors[name].started = true
	w.happen("up "+name, func() { w.m.isUp(name, w.m.child(name).starts) })
}

func (w *world) fails(name string) {
	a := w.actors[name]
	a.failed = true
	if c := w.m.child(name); c.spec.Restart == Temporary {
		a.spent = true
	}
	w.happen("fail "+name, func() { w.m.isFailed(name, errors.New("boom"), w.now) })
}

// ends has an actor terminate: as it was told, or by itself and normally.
func (w *world) ends(name string) {
	a, c := w.actors[name], w.m.child(name)
	a.lives = false
	if c.spec.Restart == Temporary || c.spec.Restart == Transient && !a.told && !a.failed {
		a.spent = true
		w.left = w.left || c.spec.Significant && !a.told && !a.failed
	}
	w.happen("ended "+name, func() { w.m.isTerminated(name, w.now) })
}

func (w *world) fire(timers *[]timer, i int, tell func(timer)) {
	due := (*timers)[i]
	*timers = slices.Delete(*timers, i, i+1)
	if due.at.After(w.now) {
		w.now = due.at
	}
	w.happen("timer "+due.name, func() { tell(due) })
}

func (w *world) pauses(due timer) { w.m.pauseOver(due.name, due.n) }

func (w *world) lingers(due timer) { w.m.lingered(due.n) }

func (w *world) shutdown() {
	w.asked = true
	w.happen("shutdown", w.m.shutdown)
}

func hearing(a *someone) bool { return a.lives && !a.failed }
func rising(a *someone) bool  { return hearing(a) && !a.started }
func told(a *someone) bool    { return a.lives && a.told }
func waiting(a *someone) bool { return a.lives && a.failed && !a.told }

// step lets one thing happen.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.rng.Int64N(int64(800 * time.Millisecond))))
	switch w.rng.IntN(12) {
	case 0, 1, 2:
		if name := w.pick(rising); name != "" {
			w.rises(name)
		}
	case 3, 4:
		if name := w.pick(hearing); name != "" {
			w.fails(name)
		}
	case 5:
		if name := w.pick(hearing); name != "" && w.rng.IntN(4) == 0 {
			w.ends(name)
		} else if name := w.pick(waiting); name != "" && w.rng.IntN(8) == 0 {
			w.ends(name) // by another hand than its supervisor's
		}
	case 6, 7, 8:
		if name := w.pick(told); name != "" {
			w.ends(name)
		}
	case 9:
		if len(w.timers) > 0 {
			w.fire(&w.timers, w.rng.IntN(len(w.timers)), w.pauses)
		} else if len(w.linger) > 0 {
			w.fire(&w.linger, 0, w.lingers)
		}
	case 10:
		w.visit()
	case 11:
		switch w.rng.IntN(40) {
		case 0:
			w.shutdown()
		case 1:
			if name := w.pick(told); name != "" {
				w.happen("overdue "+name, func() { w.m.overdue(name) })
			}
		}
	}
}

// visit adds a child to a dynamic supervisor, or ends one.
func (w *world) visit() {
	if w.m.spec.Strategy != Dynamic {
		return
	}
	name := fmt.Sprintf("x%d", w.rng.IntN(5))
	a := w.someone(name)
	switch {
	case !a.lives && w.m.child(name) == nil:
		if !w.asked && w.over == "" {
			a.spent = false
		}
		spec := &Spec{
			Name: name, Restart: Restart(w.rng.IntN(3)), Significant: w.rng.IntN(10) == 0,
		}
		w.happen("add "+name, func() { w.m.add(spec) })
	case w.rng.IntN(3) == 0 && w.over == "" && w.m.child(name) != nil:
		a.spent = true
		w.happen("end "+name, func() { w.m.end(name) })
	}
}

// calm lets nothing more go wrong, until nothing is left to happen.
func (w *world) calm() {
	w.story = append(w.story, "calm:")
	for w.over == "" {
		if name := w.pick(rising); name != "" {
			w.rises(name)
		} else if name := w.pick(told); name != "" {
			w.ends(name)
		} else if len(w.timers) > 0 {
			w.fire(&w.timers, 0, w.pauses)
		} else {
			return
		}
	}
}

func randomSpec(rng *rand.Rand) Spec {
	spec := Spec{
		Name: "root", Strategy: OneForOne + Strategy(rng.IntN(3)),
		Limit:   Limit{Max: 1 + rng.IntN(12), Within: time.Duration(1+rng.IntN(20)) * time.Second},
		Backoff: Backoff{Min: 10 * time.Millisecond, Max: time.Second},
	}
	if spec.Strategy == Dynamic {
		spec.Linger = time.Duration(rng.IntN(3)) * time.Second
		return spec
	}
	for i := range 1 + rng.IntN(5) {
		spec.Children = append(spec.Children, Spec{
			Name: fmt.Sprintf("c%d", i), Restart: Restart(rng.IntN(3)),
			Significant: rng.IntN(8) == 0, Rebind: rng.IntN(4) == 0,
		})
	}
	return spec
}

func TestMachineKeepsTheRules(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		spec := randomSpec(rng)
		w := &world{
			t: t, seed: seed, rng: rng, now: time.Unix(0, 0), actors: map[string]*someone{},
		}
		w.m = newMachine(&spec, rng.Float64)
		w.happen("begin", w.m.begin)
		for range 150 {
			w.step()
		}
		w.calm()
		if w.over == "" {
			w.settled()
			w.shutdown()
			w.calm()
			if w.over != "END" {
				w.fault("it does not end")
			}
		}
		ends[w.over]++
	}
	if ends["SPENT"] < 300 || ends["END"] < 300 {
		t.Errorf("one-sided chance: %v", ends)
	}
}

// settled: whoever is to be there is up.
func (w *world) settled() {
	w.t.Helper()
	if w.asked || w.left {
		w.fault("it does not end although it has to")
	}
	if w.m.phase != phaseRunning {
		w.fault("it is not up")
	}
	for _, c := range w.m.children {
		a := w.someone(c.spec.Name)
		if !a.spent && (!a.lives || !a.started || a.failed || c.status != up) {
			w.fault("%s is not up: %+v, status %d", c.spec.Name, *a, c.status)
		}
		if a.spent && c.status != gone {
			w.fault("%s is not gone: status %d", c.spec.Name, c.status)
		}
	}
}

// The limit bites at the first failure that makes more than Max within the window, never before.
func TestLimitBitesExactly(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		limit := Limit{Max: rng.IntN(6), Within: 10 * time.Second}
		if limit.Max == 0 {
			limit.Within = time.Second
		}
		spec := Spec{Strategy: OneForOne, Limit: limit, Children: []Spec{w("a"), w("b")}}
		m := newMachine(&spec, rng.Float64)
		m.begin()
		m.isUp("a", 1)
		m.isUp("b", 1)
		now := time.Unix(0, 0)
		var times []time.Time
		for range 60 {
			now = now.Add(time.Duration(rng.Int64N(int64(6 * time.Second))))
			name := []string{"a", "b"}[rng.IntN(2)]
			m.isFailed(name, errors.New("boom"), now)
			times = append(times, now)
			recent := 0
			for _, at := range times {
				if now.Sub(at) < limit.Within {
					recent++
				}
			}
			bites := slices.ContainsFunc(m.take(), func(e effect) bool { return e.op == opEscalate })
			if bites != (recent > limit.Max) {
				t.Fatalf("seed %d: %d failures within %v, at most %d: spent %v",
					seed, recent, limit.Within, limit.Max, bites)
			}
			if bites {
				break
			}
			m.pauseOver(name, m.child(name).timer)
			m.isUp(name, m.child(name).starts)
		}
	}
}
