package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// small is the tree of the drawings.
func small() Spec {
	return Spec{
		Name: "node", Strategy: RestForOne, Note: "spent: the process exits", Children: []Spec{
			{Name: "directory", Note: "what is here"},
			{Name: "broadcasts", Strategy: Dynamic, Templates: []Spec{{
				Name: "broadcast-KEY", Strategy: RestForOne, Note: "spent: it ends", Children: []Spec{
					{Name: "topic", Restart: Transient, Note: "outlives its publisher"},
					{Name: "ingest", Restart: Temporary},
				},
			}}},
			{Name: "listeners", Strategy: OneForOne, Children: []Spec{{Name: "rtmp"}, {Name: "http"}}},
		},
	}
}

func TestDraw(t *testing.T) {
	want := `
[node]                     rest-for-one  spent: the process exits
├── (directory)            permanent     what is here
├── [broadcasts]           dynamic
│   └── [broadcast-KEY] *  rest-for-one  spent: it ends
│       ├── (topic)        transient     outlives its publisher
│       └── (ingest)       temporary
└── [listeners]            one-for-one
    ├── (rtmp)             permanent
    └── (http)             permanent
`
	var b strings.Builder
	if err := Draw(&b, small()); err != nil {
		t.Fatal(err)
	}
	if got := "\n" + b.String(); got != want {
		t.Errorf("drawing:\n%s", got)
	}
}

func TestDrawToABrokenWriter(t *testing.T) {
	if err := Draw(broken{}, small()); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestDrawLive(t *testing.T) {
	tree := small()
	play(t, tree, func(s *scene) {
		for i := range 5 {
			s.begin("broadcasts", Spec{
				Name: fmt.Sprintf("broadcast-%d", i), Strategy: RestForOne,
				Children: []Spec{{Name: "topic", Mailbox: 8}},
			})
		}
		s.on("bad directory", func(actor.Context, *Self) { panic("boom\nand then some") })
		s.on("work http", func(_ actor.Context, self *Self) {
			for range 3 {
				self.Goroutines.Go("serve", func(ctx context.Context) { <-ctx.Done() })
			}
		})
		s.poke("listeners/http", "work")
		s.poke("broadcasts/broadcast-1/topic", "work")
		s.after(10 * time.Second)
		release := s.stuck("topic")
		s.poke("broadcasts/broadcast-0/topic", "block")
		s.after(0)
		s.poke("broadcasts/broadcast-0/topic", "wait")
		s.poke("broadcasts/broadcast-0/topic", "wait")
		s.after(2 * time.Second)
		s.expectLive(2, `
                       state    restarts  mailbox  age  goroutines  up
[node]                 running  0         0/256    0s   -           12s
├── (directory)        running  0         0/256    0s   0           12s
├── [broadcasts]       running  0         0/16384  0s   -           12s
│   ├── [broadcast-0]  running  0         0/256    0s   -           12s
│   │   └── (topic)    running  0         2/8      2s   0           12s
│   ├── [broadcast-1]  running  0         0/256    0s   -           12s
│   │   └── (topic)    running  0         0/8      0s   0           12s
│   └── … and 3 more
└── [listeners]        running  0         0/256    0s   -           12s
    ├── (rtmp)         running  0         0/256    0s   0           12s
    └── (http)         running  0         0/256    0s   3           12s
`)
		release()
	})
}

func TestDrawLiveShowsTrouble(t *testing.T) {
	tree := root(OneForOne, w("a"), w("b"), Spec{Name: "c", Stop: time.Second, Restart: Temporary})
	tree.Backoff = Backoff{Min: 4 * time.Second, Max: 4 * time.Second}
	play(t, tree, func(s *scene) {
		s.on("bad a", func(actor.Context, *Self) { panic("boom\nand then some") })
		s.on("bad b", boom)
		release := s.stuck("c")
		s.poke("a", "bad")
		s.poke("c", "block")
		s.after(3 * time.Second)
		s.poke("b", "bad")
		s.send("", &StopChild{Name: "c", Reason: "enough"})
		s.after(time.Second)
		s.expectLive(0, `
         state       restarts  mailbox  age  goroutines  up
[root]   running     0         0/256    0s   -           4s
├── (a)  running     1         0/256    0s   0           4s  last failure: panic: boom
├── (b)  restarting  0         0/256    0s   0           4s  last failure: boom
└── (c)  stopping    0         0/256    0s   0           4s
`)
		s.send("", &Shutdown{})
		s.after(time.Minute)
		s.expectLive(0, `
     state      restarts  mailbox  age  goroutines  up
(c)  abandoned  0         0/256    0s   0           1m4s
`)
		release()
	})
}

// expectLive compares the live drawing.
func (s *scene) expectLive(limit int, want string) {
	s.t.Helper()
	var b strings.Builder
	if err := s.rt.Census.DrawLive(&b, time.Now(), limit); err != nil {
		s.t.Error(err)
	}
	if got := "\n" + b.String(); got != want {
		s.t.Errorf("live tree:\n%s\nwant\n%s", got, want)
	}
}
