package supervise

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// futures asks the same of a supervisor many times at once.
func (s *scene) futures(path string, n int, spec func(i int) Spec) []actor.Future {
	out := make([]actor.Future, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			child := spec(i)
			s.cast(&child)
			out[i] = s.system.Root.RequestFuture(s.pid(path), &StartChild{Spec: child}, time.Hour)
		})
	}
	wg.Wait()
	return out
}

// answers counts what futures brought, by type, refusals by reason.
func answers(t *testing.T, futures []actor.Future) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, f := range futures {
		answer, err := f.Result()
		switch answer := answer.(type) {
		case *ChildStarted:
			if answer.PID == nil {
				t.Error("started without a PID")
			}
			out[fmt.Sprintf("started, existing %v", answer.Existing)]++
		case *ChildRefused:
			out[answer.Reason]++
		default:
			out[fmt.Sprintf("%T %v", answer, err)]++
		}
	}
	return out
}

func TestStartChildOfOneNameManyTimes(t *testing.T) {
	play(t, root(Dynamic), func(s *scene) {
		gate := make(chan struct{})
		s.on("started x", func(actor.Context, *Self) { <-gate })
		early := s.futures("", 50, func(int) Spec { return w("x") })
		synctest.Wait()
		close(gate)
		got := answers(t, early)
		if got["started, existing false"] != 1 || got["started, existing true"] != 49 {
			t.Errorf("answers: %v", got)
		}
		late := answers(t, s.futures("", 1, func(int) Spec { return w("x") }))
		if late["started, existing true"] != 1 {
			t.Errorf("answers: %v", late)
		}
		s.expect("+x")
	})
}

func TestStartChildThatWaitsForItsRestart(t *testing.T) {
	tree := root(Dynamic)
	tree.Backoff = Backoff{Min: time.Second, Max: time.Second}
	play(t, tree, func(s *scene) {
		s.on("end x", once(func(ctx actor.Context, self *Self) { self.End(ctx, "done") }))
		s.begin("", w("x"))
		s.poke("x", "end") // permanent: it comes back by being spawned
		s.told()
		begin := time.Now()
		got := answers(t, s.futures("", 2, func(int) Spec { return w("x") }))
		if got["started, existing true"] != 2 || time.Since(begin) != 500*time.Millisecond {
			t.Errorf("answers after %v: %v", time.Since(begin), got)
		}
		s.expect("+x")
		if k := s.kind("x"); k.Restarts.Load() != 1 || k.Starts.Load() != 2 {
			t.Errorf("restarts %d starts %d", k.Restarts.Load(), k.Starts.Load())
		}
	})
}

func TestStartChildThatEndsBeforeItIsUp(t *testing.T) {
	play(t, root(Dynamic), func(s *scene) {
		s.on("started x", boom)
		got := answers(t, s.futures("", 1, func(int) Spec {
			return Spec{Name: "x", Restart: Temporary}
		}))
		if got["ended before it was up"] != 1 {
			t.Errorf("answers: %v", got)
		}
		s.expect("+x -x")
	})
}

func TestStartChildOfAStaticSupervisor(t *testing.T) {
	play(t, root(OneForOne, w("a")), func(s *scene) {
		got := answers(t, s.futures("", 1, func(int) Spec { return w("x") }))
		if got["root takes no children"] != 1 {
			t.Errorf("answers: %v", got)
		}
	})
}

// Every StartChild is answered, however it races with the end of its supervisor.
func TestStartChildWhileEnding(t *testing.T) {
	for _, how := range []string{"shutdown", "stop", "crash"} {
		t.Run(how, func(t *testing.T) {
			tree := root(OneForOne, Spec{Name: "dyn", Strategy: Dynamic, Restart: Temporary})
			play(t, tree, func(s *scene) {
				s.begin("dyn", w("slow"))
				s.on("stopping slow", func(actor.Context, *Self) { <-time.After(time.Second) })
				var wg sync.WaitGroup
				wg.Go(func() {
					switch how {
					case "shutdown":
						s.send("dyn", &Shutdown{})
					case "stop":
						s.system.Root.Stop(s.pid("dyn"))
					case "crash":
						s.send("dyn", &Crash{Reason: "drill"})
					}
				})
				racing := s.futures("dyn", 200, func(i int) Spec { return w(fmt.Sprintf("x-%d", i)) })
				wg.Wait()
				synctest.Wait()
				ending := s.futures("dyn", 3, func(i int) Spec { return w(fmt.Sprintf("y-%d", i)) })
				s.after(time.Minute)
				gone := s.futures("dyn", 3, func(i int) Spec { return w(fmt.Sprintf("z-%d", i)) })
				total := 0
				for what, n := range answers(t, racing) {
					if !answered(what) {
						t.Errorf("racing: %s", what)
					}
					total += n
				}
				for what, n := range answers(t, ending) {
					if !answered(what) || strings.HasPrefix(what, "started") {
						t.Errorf("while ending: %s", what)
					}
					total += n
				}
				if got := answers(t, gone); got["*actor.DeadLetterResponse future: dead letter"] != 3 &&
					got["<nil> future: dead letter"] != 3 {
					t.Errorf("after the end: %v", got)
				}
				if total != 203 || s.alive() != "root" {
					t.Errorf("%d answers, alive: %s", total, s.alive())
				}
			})
		})
	}
}

// answered tells whether an answer is one that StartChild may have: also that of no such actor.
func answered(what string) bool {
	for _, ok := range []string{
		"started, existing false", "dyn is ending", "dyn has ended", "supervisor stops",
		"ended before it was up", "dead letter",
	} {
		if strings.Contains(what, ok) {
			return true
		}
	}
	return false
}

func TestStartChildOfAnOverrunSupervisor(t *testing.T) {
	play(t, root(OneForOne, Spec{Name: "a", Mailbox: 1}), func(s *scene) {
		release := s.stuck("a") // a worker will do: the bound does not know who reads
		s.poke("a", "block")
		s.told()
		s.poke("a", "fills the mailbox")
		got := answers(t, s.futures("a", 2, func(int) Spec { return w("x") }))
		if got["a is overrun"] != 2 || s.kind("a").Drops.Load() != 2 {
			t.Errorf("answers: %v, drops %d", got, s.kind("a").Drops.Load())
		}
		release()
	})
}

// What an actor has not read when it ends is a dead letter, so that who asked is told.
func TestUnreadIsADeadLetter(t *testing.T) {
	play(t, root(OneForOne, Spec{Name: "a", Restart: Temporary}), func(s *scene) {
		release := s.stuck("a")
		s.poke("a", "block")
		s.told()
		future := s.system.Root.RequestFuture(s.pid("a"), &poke{"never"}, time.Hour)
		s.system.Root.Stop(s.pid("a"))
		release()
		if _, err := future.Result(); !errors.Is(err, actor.ErrDeadLetter) {
			t.Errorf("error %v", err)
		}
		s.expect("-a")
	})
}

func TestLingerEndsAnEmptySupervisor(t *testing.T) {
	tree := root(OneForOne, w("a"), Spec{
		Name: "dyn", Strategy: Dynamic, Restart: Temporary, Linger: 10 * time.Second,
	})
	play(t, tree, func(s *scene) {
		s.after(9 * time.Second)
		s.begin("dyn", w("x")) // just in time
		s.after(time.Minute)
		s.send("dyn", &StopChild{Name: "x", Reason: "enough"})
		s.after(9 * time.Second)
		s.begin("dyn", w("y"))
		s.after(5 * time.Second) // the first wait would be over
		s.send("dyn", &StopChild{Name: "y", Reason: "enough"})
		s.after(9 * time.Second)
		if got := s.alive(); got != "a dyn root" {
			t.Errorf("alive: %s", got)
		}
		s.after(2 * time.Second)
		if got := s.alive(); got != "a root" {
			t.Errorf("alive: %s", got)
		}
	})
}

func TestThousandsOfDynamicChildren(t *testing.T) {
	const crowd = 2000
	tree := root(OneForOne, Spec{Name: "dyn", Strategy: Dynamic})
	play(t, tree, func(s *scene) {
		name := func(i int) string { return fmt.Sprintf("x-%d", i) }
		for round := range 2 {
			got := answers(t, s.futures("dyn", crowd, func(i int) Spec {
				return Spec{Name: name(i), Restart: Temporary}
			}))
			if got["started, existing false"] != crowd {
				t.Fatalf("answers: %v", got)
			}
			k := s.kind("x")
			if n := s.rt.Census.Children(s.pid("dyn")); n != crowd || k.Running.Load() != crowd {
				t.Errorf("%d children, %d running", n, k.Running.Load())
			}
			if round == 1 {
				break // these end with the tree
			}
			for i := range crowd {
				s.send("dyn", &StopChild{Name: name(i), Reason: "enough"})
			}
			synctest.Wait()
			if n := s.rt.Census.Children(s.pid("dyn")); n != 0 || s.rt.Census.Len() != 2 {
				t.Errorf("%d children, %d actors", n, s.rt.Census.Len())
			}
		}
		if k := s.kind("x"); k.Starts.Load() != 2*crowd || k.Failures.Load() != 0 || k.Drops.Load() != 0 {
			t.Errorf("starts %d failures %d drops %d", k.Starts.Load(), k.Failures.Load(), k.Drops.Load())
		}
	})
}
