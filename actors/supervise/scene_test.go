package supervise

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scene is a tree of real actors in a bubble of virtual time, and a diary of what they do.
type scene struct {
	t      *testing.T
	system *actor.ActorSystem
	rt     *Runtime
	root   *actor.PID
	name   string

	mu    sync.Mutex
	diary []string
	hooks map[string]func(ctx actor.Context, self *Self) // by "event name", once or for ever
	spent []error
}

// poke is a message to a probe: it is noted in the diary, as word.
type poke struct{ word string }

// play runs act in a bubble on a tree, and expects that nothing is left of it in the end.
func play(t *testing.T, root Spec, act func(s *scene)) {
	t.Helper()
	stage(t, root, func(s *scene) {
		act(s)
		s.shutdown()
		if n := s.rt.Census.Len(); n != 0 {
			t.Errorf("%d actors are left:\n%s", n, s.live())
		}
		for _, k := range s.rt.Census.Kinds() {
			actors, goroutines := k.Running.Load(), k.Goroutines.Running.Load()
			if left := k.Goroutines.Left.Load(); actors != 0 || goroutines != 0 || left != 0 {
				t.Errorf("kind %s: %d actors and %d goroutines run, %d left",
					k.Name, actors, goroutines, left)
			}
		}
	})
}

// stage is play without the end.
func stage(t *testing.T, root Spec, act func(s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
		s := &scene{t: t, name: root.Name, hooks: map[string]func(actor.Context, *Self){}}
		s.system = actor.NewActorSystem(actor.WithLoggerFactory(
			func(*actor.ActorSystem) *slog.Logger { return quiet }))
		s.rt = &Runtime{Census: NewCensus(), Log: quiet, Jitter: func() float64 { return 0 }}
		s.cast(&root)
		pid, err := s.rt.Start(s.system, root, func(err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.spent = append(s.spent, err)
			s.diary = append(s.diary, "spent")
		})
		if err != nil {
			t.Fatal(err)
		}
		s.root = pid
		synctest.Wait()
		act(s)
	})
}

// cast gives every worker without an actor a probe.
func (s *scene) cast(spec *Spec) {
	if spec.Kind == "" {
		spec.Kind = strings.SplitN(spec.Name, "-", 2)[0]
	}
	if spec.Strategy == Worker && spec.New == nil {
		spec.New = s.probe
	}
	for i := range spec.Children {
		s.cast(&spec.Children[i])
	}
}

// probe is an actor that writes the diary and does what the hooks say.
func (s *scene) probe(self *Self) actor.Actor {
	s.hook("new", nil, self)
	return actor.ReceiveFunc(func(ctx actor.Context) {
		switch msg := ctx.Message().(type) {
		case *actor.Started:
			s.note("+" + self.Name)
			s.hook("started", ctx, self)
		case *actor.Restarting:
			s.note("~" + self.Name)
			s.hook("restarting", ctx, self)
		case *actor.Stopping:
			s.hook("stopping", ctx, self)
		case *actor.Stopped:
			s.note("-" + self.Name)
			s.hook("stopped", ctx, self)
		case *Rebind:
			s.note(self.Name + "<" + msg.Sibling)
		case *poke:
			s.note(self.Name + ":" + msg.word)
			s.hook(msg.word, ctx, self)
		}
	})
}

func (s *scene) hook(event string, ctx actor.Context, self *Self) {
	s.mu.Lock()
	hook := s.hooks[event+" "+self.Name]
	s.mu.Unlock()
	if hook != nil {
		hook(ctx, self)
	}
}

// on has something happen at an event of a probe.
func (s *scene) on(event string, hook func(ctx actor.Context, self *Self)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[event] = hook
}

func (s *scene) note(word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diary = append(s.diary, word)
}

// told returns the diary since the last time.
func (s *scene) told() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := strings.Join(s.diary, " ")
	s.diary = nil
	return out
}

// expect compares the diary since the last time.
func (s *scene) expect(want string) {
	s.t.Helper()
	if got := s.told(); got != want {
		s.t.Errorf("diary:\n got %s\nwant %s\n%s", got, want, s.live())
	}
}

// after lets virtual time pass.
func (s *scene) after(d time.Duration) {
	synctest.Wait()
	<-time.After(d)
	synctest.Wait()
}

func (s *scene) pid(path string) *actor.PID {
	if path == "" {
		return s.root
	}
	return s.system.NewLocalPID(s.name + "/" + path)
}

func (s *scene) send(path string, msg any) { s.system.Root.Send(s.pid(path), msg) }

func (s *scene) poke(path, word string) { s.send(path, &poke{word}) }

// ask sends a request and returns the answer.
func (s *scene) ask(path string, msg any) any {
	s.t.Helper()
	answer, err := s.system.Root.RequestFuture(s.pid(path), msg, time.Hour).Result()
	if err != nil {
		s.t.Errorf("%s: %T: %v", path, msg, err)
	}
	return answer
}

// begin starts a dynamic child.
func (s *scene) begin(path string, spec Spec) *ChildStarted {
	s.t.Helper()
	s.cast(&spec)
	started, ok := s.ask(path, &StartChild{Spec: spec}).(*ChildStarted)
	if !ok {
		s.t.Fatalf("%s does not start", spec.Name)
	}
	return started
}

func (s *scene) shutdown() {
	s.send("", &Shutdown{Reason: "the end"})
	s.after(time.Hour)
}

func (s *scene) live() string {
	var b strings.Builder
	if err := s.rt.Census.DrawLive(&b, time.Now(), 0); err != nil {
		s.t.Error(err)
	}
	return b.String()
}

// alive lists the live actors.
func (s *scene) alive() string {
	var ids []string
	for _, k := range s.rt.Census.Kinds() {
		for _, id := range s.rt.Census.PIDs(k.Name) {
			ids = append(ids, strings.TrimPrefix(id, s.name+"/"))
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func (s *scene) kind(name string) *Kind { return s.rt.Census.kind(name) }

func boom(actor.Context, *Self) { panic(fmt.Errorf("boom")) }

// once lets a hook act the first time only.
func once(hook func(actor.Context, *Self)) func(actor.Context, *Self) {
	var o sync.Once
	return func(ctx actor.Context, self *Self) { o.Do(func() { hook(ctx, self) }) }
}

// w is a worker, of the root's supervision by default.
func w(name string) Spec { return Spec{Name: name} }
