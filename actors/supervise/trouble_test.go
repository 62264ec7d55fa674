package supervise

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/own"
)

func TestOwnedPanicFailsTheActor(t *testing.T) {
	play(t, root(OneForOne, w("a")), func(s *scene) {
		s.on("work a", func(_ actor.Context, self *Self) {
			for i := range 3 {
				self.Goroutines.Go(fmt.Sprint(i), func(ctx context.Context) {
					if i == 2 { // it panics as it is asked to end: that is the same failure
						<-ctx.Done()
					}
					panic("boom")
				})
			}
		})
		s.told()
		s.poke("a", "work")
		s.after(time.Second)
		s.expect("a:work ~a +a")
		k := s.kind("a")
		if k.Failures.Load() != 1 || k.Restarts.Load() != 1 || k.Goroutines.Started.Load() != 3 {
			t.Errorf("failures %d restarts %d goroutines %d", k.Failures.Load(), k.Restarts.Load(),
				k.Goroutines.Started.Load())
		}
		if live := s.live(); !strings.Contains(live, "panicked: boom") {
			t.Errorf("no failure in\n%s", live)
		}
	})
}

// The failure of a goroutine is not lost to a mailbox that is full of what must not be dropped.
func TestOwnedPanicOfAFloodedActor(t *testing.T) {
	play(t, root(OneForOne, Spec{Name: "a", Mailbox: 2}), func(s *scene) {
		gate := make(chan struct{})
		s.on("work a", func(_ actor.Context, self *Self) {
			self.Goroutines.Go("x", func(context.Context) { panic("boom") })
			<-gate
		})
		for _, word := range []string{"work", "1", "2", "3"} {
			s.poke("a", word)
			synctest.Wait()
		}
		close(gate)
		s.after(time.Second)
		s.expect("+a a:work ~a +a a:1 a:2")
		if n := s.kind("a").Drops.Load(); n != 1 {
			t.Errorf("%d drops", n)
		}
	})
}

// failure says where an actor and where a goroutine failed.
func TestFailureHasItsStack(t *testing.T) {
	err := failure(&own.Panic{Name: "x", Value: "boom", Stack: []byte("here")})
	if stack(err) != "here" || on(err) != "" {
		t.Errorf("stack %q on %q", stack(err), on(err))
	}
	if err := failure("boom"); err.Error() != "panic: boom" || stack(err) != "" {
		t.Errorf("%v, stack %q", err, stack(err))
	}
}

func TestGoroutineThatIgnoresItsContext(t *testing.T) {
	play(t, root(OneForOne, w("a"), Spec{Name: "b", Stop: 2 * time.Second}), func(s *scene) {
		release := make(chan struct{})
		s.on("work b", func(_ actor.Context, self *Self) {
			self.Goroutines.Go("deaf", func(context.Context) { <-release })
		})
		s.told()
		s.poke("b", "work")
		s.expect("b:work")
		s.send("", &Shutdown{})
		s.after(1900 * time.Millisecond)
		s.expect("")
		s.after(200 * time.Millisecond)
		s.expect("-b -a")
		k := s.kind("b")
		if k.Goroutines.Left.Load() != 1 || k.Running.Load() != 0 {
			t.Errorf("left %d, running %d", k.Goroutines.Left.Load(), k.Running.Load())
		}
		close(release)
	})
}

// stuck makes a probe block when it is told to, until what it returns is called.
func (s *scene) stuck(name string) (release func()) {
	gate := make(chan struct{})
	s.on("block "+name, once(func(actor.Context, *Self) { <-gate }))
	return func() { close(gate) }
}

func TestChildBlockedInReceiveIsAbandoned(t *testing.T) {
	for _, how := range []string{"shutdown", "stop", "deep"} {
		t.Run(how, func(t *testing.T) {
			tree := root(RestForOne, w("a"), Spec{
				Name: "sub", Strategy: RestForOne, Children: []Spec{
					w("b"), {Name: "c", Stop: time.Second}, {Name: "d", Stop: time.Second},
				},
			}, w("e"))
			play(t, tree, func(s *scene) {
				release := s.stuck("c")
				s.poke("sub/c", "block")
				s.told()
				switch how {
				case "shutdown":
					s.send("", &Shutdown{})
				case "stop":
					s.system.Root.Stop(s.root)
				case "deep":
					s.send("sub", &Shutdown{})
					s.after(10 * time.Second)
					s.send("", &Shutdown{})
				}
				s.after(time.Minute)
				if got := s.alive(); got != "sub/c" {
					t.Errorf("alive: %s", got)
				}
				if live := s.live(); !strings.Contains(live, "(c)  abandoned") {
					t.Errorf("live:\n%s", live)
				}
				release()
				synctest.Wait()
				if n := s.rt.Census.Len(); n != 0 {
					t.Errorf("alive: %s", s.alive())
				}
			})
		})
	}
}

// A supervisor that crashes while a child of it is stuck cannot have that child back: its name is
// taken. It fails again and again, until it is through with it or the limit above it is spent.
func TestCrashOfASupervisorWithAStuckChild(t *testing.T) {
	tree := root(OneForOne, Spec{
		Name: "sub", Strategy: OneForOne, Children: []Spec{{Name: "c", Stop: time.Second}},
	})
	play(t, tree, func(s *scene) {
		release := s.stuck("c")
		s.poke("sub/c", "block")
		s.told()
		s.send("sub", &Crash{Reason: "drill"})
		s.after(2*time.Second + 50*time.Millisecond) // its stop, a margin and one or two tries
		release()
		s.after(3 * time.Second)
		s.expect("-c +c")
		if got := s.alive(); got != "root sub sub/c" {
			t.Errorf("alive: %s", got)
		}
	})
}

func TestAbandonedDynamicChildAndItsNamesake(t *testing.T) {
	play(t, root(Dynamic), func(s *scene) {
		release := s.stuck("x")
		spec := Spec{Name: "x", Stop: time.Second}
		s.begin("", spec)
		s.poke("x", "block")
		s.told()
		s.send("", &StopChild{Name: "x", Reason: "enough"})
		synctest.Wait()
		s.cast(&spec)
		for _, want := range []string{"x is ending", "spawn: name exists"} {
			answer := s.ask("", &StartChild{Spec: spec})
			if refused, ok := answer.(*ChildRefused); !ok || refused.Reason != want {
				t.Errorf("answer %#v, want a refusal: %s", answer, want)
			}
			s.after(3 * time.Second)
		}
		if got := s.alive(); got != "root x" {
			t.Errorf("alive: %s", got)
		}
		release()
		synctest.Wait()
		s.begin("", spec)
		s.expect("-x +x")
	})
}

// A supervisor that promises to be quicker than its children is stopped hard, and abandoned with
// those that are below it, until they have ended after all.
func TestSupervisorThatDoesNotShutDownInTime(t *testing.T) {
	tree := root(OneForOne, w("a"), Spec{Name: "dyn", Strategy: Dynamic, Stop: time.Second})
	play(t, tree, func(s *scene) {
		s.begin("dyn", Spec{Name: "x", Stop: 30 * time.Second})
		s.on("stopping x", func(actor.Context, *Self) { <-time.After(20 * time.Second) })
		s.told()
		s.send("", &Shutdown{})
		s.after(7 * time.Second)
		s.expect("")
		s.after(2 * time.Second)
		s.expect("-a")
		if got := s.alive(); got != "dyn dyn/x" {
			t.Errorf("alive: %s", got)
		}
		s.after(20 * time.Second)
		s.expect("-x")
	})
}

// Protoactor knows children by name: when it hears of the end of an abandoned one, it strikes off
// its namesake. That one has to be waited for all the same.
func TestNamesakeIsAdopted(t *testing.T) {
	stage(t, root(Dynamic), func(s *scene) {
		s.begin("", w("x"))
		process, _ := s.system.ProcessRegistry.Get(s.root)
		process.SendSystemMessage(s.root, &actor.Terminated{Who: s.pid("x")}) // an equal, not the same
		s.told()
		s.on("stopping x", func(actor.Context, *Self) {
			<-time.After(time.Second)
			s.note("slow")
		})
		s.system.Root.Stop(s.root)
		s.after(10 * time.Second)
		s.expect("slow -x")
		if s.rt.Census.Len() != 0 {
			t.Errorf("alive: %s", s.alive())
		}
	})
}

func TestSpentLimitEscalatesToTheRootOnce(t *testing.T) {
	tree := Spec{
		Name: "root", Strategy: OneForOne, Limit: Limit{Max: 1, Within: time.Hour}, Children: []Spec{
			w("z"),
			{Name: "sub", Strategy: RestForOne, Limit: Limit{Max: 1, Within: time.Hour}, Children: []Spec{
				w("a"), w("b"), {Name: "dyn", Strategy: Dynamic},
			}},
		},
	}
	play(t, tree, func(s *scene) {
		s.on("bad a", boom)
		for range 4 {
			s.begin("sub/dyn", w("x"))
			s.told()
			s.poke("sub/a", "bad")
			s.after(10 * time.Second)
		}
		got := s.told()
		if !strings.HasSuffix(got, " spent") || strings.Count(got, "spent") != 1 {
			t.Errorf("diary: %s", got)
		}
		if n := s.rt.Census.Len(); n != 0 || len(s.spent) != 1 {
			t.Fatalf("%d live, told %d times", n, len(s.spent))
		}
		err := s.spent[0]
		if want := "supervisor root spent: 2 failures in 1h0m0s, the last of sub: " +
			"supervisor sub spent: 2 failures in 1h0m0s, the last of a: boom"; err.Error() != want {
			t.Errorf("reason %q", err)
		}
		if s.kind("sub").Spent.Load() != 2 || s.kind("root").Spent.Load() != 1 {
			t.Errorf("spent %d and %d", s.kind("sub").Spent.Load(), s.kind("root").Spent.Load())
		}
	})
}

func TestRootThatEndsIsNotSpent(t *testing.T) {
	play(t, root(OneForOne, w("a")), func(s *scene) {
		s.shutdown()
		if len(s.spent) != 0 {
			t.Errorf("spent: %v", s.spent)
		}
	})
}

func TestCrashOfTheRoot(t *testing.T) {
	play(t, root(OneForOne, w("a")), func(s *scene) {
		s.send("", &Crash{Reason: "drill"})
		s.send("", &Crash{Reason: "drill"})
		s.expect("+a -a spent")
		if len(s.spent) != 1 || !strings.Contains(s.spent[0].Error(), "drill: drill") {
			t.Errorf("spent: %v", s.spent)
		}
	})
}

func TestWorkerAsRoot(t *testing.T) {
	play(t, w("root"), func(s *scene) {
		s.on("bad root", boom)
		s.poke("", "bad")
		s.expect("+root root:bad -root spent")
		if len(s.spent) != 1 || s.spent[0].Error() != "boom" {
			t.Errorf("spent: %v", s.spent)
		}
	})
}

func TestCrashOfASupervisorRestartsItsSubtree(t *testing.T) {
	tree := root(OneForOne, w("z"), Spec{
		Name: "sub", Strategy: RestForOne, Children: []Spec{w("a"), {Name: "dyn", Strategy: Dynamic}},
	})
	play(t, tree, func(s *scene) {
		s.begin("sub/dyn", w("x"))
		s.told()
		pid := s.pid("sub/a")
		s.send("sub", &Crash{Reason: "drill"})
		s.after(time.Second)
		got := s.told()
		if got != "-x -a +a" && got != "-a -x +a" {
			t.Errorf("diary: %s", got)
		}
		if got := s.alive(); got != "root sub sub/a sub/dyn z" {
			t.Errorf("alive: %s", got)
		}
		s.system.Root.Send(pid, &poke{"hello"}) // the old PID still reaches it
		s.expect("a:hello")
		k := s.kind("sub")
		if k.Starts.Load() != 1 || k.Restarts.Load() != 1 {
			t.Errorf("starts %d restarts %d", k.Starts.Load(), k.Restarts.Load())
		}
	})
}

func TestHardStopDoesNotRespawn(t *testing.T) {
	slow := Backoff{Min: time.Second, Max: time.Second}
	tree := root(OneForOne, Spec{
		Name: "sub", Strategy: OneForOne, Restart: Temporary, Backoff: slow, Children: []Spec{
			w("a"), w("b"), {Name: "dyn", Strategy: Dynamic, Backoff: slow},
		},
	})
	play(t, tree, func(s *scene) {
		s.begin("sub/dyn", w("x"))
		s.begin("sub/dyn", w("y"))
		for _, name := range []string{"a", "b", "x", "y"} {
			s.on("bad "+name, boom)
		}
		s.on("stopping b", func(actor.Context, *Self) { <-time.After(4 * time.Second) })
		s.on("stopping y", func(actor.Context, *Self) { <-time.After(4 * time.Second) })
		s.told()
		s.poke("sub/a", "bad")
		s.poke("sub/dyn/x", "bad")
		synctest.Wait()
		s.told()
		s.system.Root.Stop(s.pid("sub")) // while both wait for their restart, and b and y take long
		s.after(time.Minute)
		for word := range strings.FieldsSeq(s.told()) {
			if word[0] != '-' {
				t.Errorf("%s after the stop", word)
			}
		}
		if got := s.alive(); got != "root" {
			t.Errorf("alive: %s", got)
		}
	})
}
