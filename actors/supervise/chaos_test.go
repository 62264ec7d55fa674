package supervise

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// node is a tree with every kind of supervisor, patient enough for any chaos.
func node() Spec {
	patient := Limit{Max: 1 << 20, Within: time.Second}
	return Spec{
		Name: "node", Strategy: RestForOne, Limit: patient, Children: []Spec{
			w("directory"),
			{Name: "live", Strategy: Dynamic, Limit: patient, Rebind: true},
			{Name: "one", Strategy: OneForOne, Limit: patient, Children: []Spec{w("a"), w("b"), {
				Name: "rest", Strategy: RestForOne, Limit: patient, Children: []Spec{
					w("c"), {Name: "d", Rebind: true}, w("e"),
				},
			}}},
			{Name: "viewers", Strategy: Dynamic, Limit: patient},
		},
	}
}

// broadcast is a dynamic child that is a supervisor itself.
func broadcast(i int) Spec {
	return Spec{
		Name: fmt.Sprintf("broadcast-%d", i), Strategy: RestForOne, Restart: Transient,
		Children: []Spec{w("topic"), {Name: "ingest", Restart: Temporary, Rebind: true}},
	}
}

const settledNode = "directory live node one one/a one/b one/rest one/rest/c one/rest/d " +
	"one/rest/e viewers"

// Whatever fails, wherever and together with what: what is permanent comes back and is up, and a
// shutdown leaves nothing.
func TestChaos(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			play(t, node(), func(s *scene) {
				for i := range 3 {
					s.begin("live", broadcast(i))
					s.begin("viewers", Spec{Name: fmt.Sprintf("x-%d", i), Restart: Temporary})
				}
				for range 30 {
					s.mischief(rng)
					if rng.IntN(3) == 0 {
						s.after(time.Duration(rng.Int64N(int64(time.Second))))
					}
				}
				s.after(time.Hour)
				if len(s.spent) != 0 {
					t.Fatalf("spent: %v", s.spent)
				}
				var static []string
				for name := range strings.FieldsSeq(s.alive()) {
					if !strings.Contains(name, "-") {
						static = append(static, name)
					}
				}
				if got := strings.Join(static, " "); got != settledNode {
					t.Errorf("alive: %s", got)
				}
				for line := range strings.Lines(s.live()) {
					if strings.Contains(line, "starting") || strings.Contains(line, "restarting") ||
						strings.Contains(line, "stopping") {
						t.Errorf("not up: %s", line)
					}
				}
			})
		})
	}
}

// mischief does one thing to a random actor.
func (s *scene) mischief(rng *rand.Rand) {
	ids := strings.Fields(s.alive())
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == s.name })
	if len(ids) == 0 { // all wait for the first to come back
		return
	}
	id := ids[rng.IntN(len(ids))]
	name := id[strings.LastIndex(id, "/")+1:]
	switch rng.IntN(8) {
	case 0, 1, 2:
		s.send(id, &Crash{Reason: "drill"})
	case 3:
		s.on("work "+name, func(_ actor.Context, self *Self) {
			self.Goroutines.Go("x", func(context.Context) { panic("boom") })
		})
		s.poke(id, "work")
	case 4:
		s.system.Root.Stop(s.pid(id))
	case 5:
		s.on("end "+name, func(ctx actor.Context, self *Self) { self.End(ctx, "done") })
		s.poke(id, "end")
	case 6:
		spec := broadcast(rng.IntN(5))
		s.cast(&spec)
		s.send("live", &StartChild{Spec: spec})
	case 7:
		s.send("viewers", &StopChild{Name: fmt.Sprintf("x-%d", rng.IntN(3)), Reason: "enough"})
	}
}

// shuffled is a dispatcher that runs ready mailboxes in an order drawn from a seed.
type shuffled struct {
	rng   *rand.Rand
	mu    sync.Mutex // timers schedule too
	ready []func()
}

func (d *shuffled) Schedule(fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = append(d.ready, fn)
}

func (*shuffled) Throughput() int { return 1 << 30 }

func (d *shuffled) draw() func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.ready) == 0 {
		return nil
	}
	i := d.rng.IntN(len(d.ready))
	fn := d.ready[i]
	d.ready = slices.Delete(d.ready, i, i+1)
	return fn
}

func (d *shuffled) run() {
	for fn := d.draw(); fn != nil; fn = d.draw() {
		fn()
	}
}

// trace runs a tree message by message in the order of a seed, and returns what happened.
func trace(t *testing.T, seed uint64) string {
	t.Helper()
	var told string
	stage(t, root(OneForOne), func(s *scene) {
		d := &shuffled{rng: rand.New(rand.NewPCG(seed, 4))}
		rt := &Runtime{
			Census: NewCensus(), Log: s.rt.Log, Jitter: s.rt.Jitter, Dispatcher: d, Batch: 1,
		}
		tree := Spec{Name: "tree", Strategy: RestForOne, Children: []Spec{
			w("a"), {Name: "r", Rebind: true}, {Name: "live", Strategy: Dynamic},
		}}
		s.cast(&tree)
		s.on("bad a", boom)
		pid, err := rt.Start(s.system, tree, nil)
		if err != nil {
			t.Fatal(err)
		}
		d.run()
		for i := range 4 {
			spec := w(fmt.Sprintf("x-%d", i))
			s.cast(&spec)
			s.system.Root.Send(s.system.NewLocalPID("tree/live"), &StartChild{Spec: spec})
			s.system.Root.Send(s.system.NewLocalPID("tree/a"), &poke{fmt.Sprint(i)})
		}
		s.system.Root.Send(s.system.NewLocalPID("tree/a"), &poke{"bad"})
		d.run()
		for range 3 { // the pause, and what comes after it
			<-time.After(time.Second)
			synctest.Wait()
			d.run()
		}
		s.system.Root.Send(pid, &Shutdown{})
		d.run()
		if rt.Census.Len() != 0 {
			t.Errorf("seed %d: %d are left", seed, rt.Census.Len())
		}
		told = s.told()
		s.shutdown()
	})
	return told
}

func TestSeededDispatcherRepeats(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(30) {
		first := trace(t, seed)
		if again := trace(t, seed); again != first {
			t.Fatalf("seed %d:\n%s\nthen\n%s", seed, first, again)
		}
		if !strings.HasPrefix(first, "+a +r ") || !strings.HasSuffix(first, "-r -a") {
			t.Errorf("seed %d: %s", seed, first)
		}
		seen[first] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d histories of 30 seeds", len(seen))
	}
}
