package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/codec/media"
)

// scene is a machine at a time of its own, and what it sent.
type scene struct {
	t *testing.T
	*machine
	now time.Time
}

func newScene(t *testing.T) *scene {
	return &scene{t: t, machine: newMachine(Options{}, &memory{}), now: time.Unix(1_800_000_000, 0)}
}

func who(name string) *actor.PID { return actor.NewPID("here", name) }

// sent expects the messages since the last call, in the form "receiver: what".
func (s *scene) sent(want ...string) {
	s.t.Helper()
	var got []string
	for _, o := range s.out.Take() {
		text := o.To.Id + ": "
		switch msg := o.Msg.(type) {
		case *Granted:
			text += fmt.Sprintf("granted %d", msg.Epoch)
			if msg.HasStart {
				text += fmt.Sprintf(" from %d ms", msg.Start/media.Millisecond)
			}
		case *Refused:
			text += "refused"
		case *Supersede:
			text += fmt.Sprintf("superseded by %d", msg.Epoch)
			if msg.Node != "" {
				text += " on " + msg.Node
			}
		case *Reserve:
			text += fmt.Sprintf("reserve above %d", msg.Floor)
		case *Here:
			text += fmt.Sprintf("here %d %v", msg.Epoch, msg.Publishing)
		case *NotHere:
			text += fmt.Sprintf("not here %d", msg.Epoch)
		case *Located:
			text += fmt.Sprintf("located %d nowhere", msg.Epoch)
			if msg.Topic != nil {
				text = o.To.Id + ": " + fmt.Sprintf("located %d %s", msg.Epoch, msg.Topic.Id)
			}
			if msg.Publishing {
				text += " live"
			}
			for _, p := range msg.Places {
				text += " at " + p.Node
			}
		default:
			text += fmt.Sprintf("%T", msg)
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		s.t.Fatalf("sent\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (s *scene) asks(from string, policy Policy) *entry {
	s.claim(&Claim{Key: "live/a", Policy: policy}, who(from), s.now)
	return s.entries["live/a"]
}

func (s *scene) announces(topic string, epoch uint64, publishing bool) {
	s.announce(&Announce{Key: "live/a", Epoch: epoch, Topic: who(topic), Publishing: publishing},
		s.now)
}

// departs has an actor end without a word.
func (s *scene) departs(name string) {
	if s.gone(who(name), s.now) {
		s.departed(who(name), s.now)
	}
}

func TestClaimFresh(t *testing.T) {
	s := newScene(t)
	s.asks("p", Takeover)
	s.sent("p: granted 1")
	s.claim(&Claim{Key: "live/b"}, who("q"), s.now)
	s.sent("q: granted 1")
}

func TestClaimTakesOver(t *testing.T) {
	s := newScene(t)
	s.asks("p", Takeover)
	s.announces("t1", 1, true)
	s.sent("p: granted 1")
	s.asks("q", Takeover)
	s.sent("t1: superseded by 2")
	s.now = s.now.Add(40 * time.Millisecond)
	s.superseded(&Superseded{
		Key: "live/a", Epoch: 1, Last: media.Second, HasLast: true,
		LastTime: s.now.Add(-30 * time.Millisecond),
	}, s.now)
	s.sent("q: granted 2 from 1030 ms")
	s.withdraw(&Withdraw{Key: "live/a", Epoch: 1}, s.now) // the old topic's last words
	s.announces("t2", 2, true)
	s.withdraw(&Withdraw{Key: "live/a", Epoch: 1}, s.now)
	if got := s.list().Broadcasts; len(got) != 1 || got[0].Epoch != 2 || !got[0].Publishing {
		t.Errorf("after the takeover it lists %+v", got)
	}
}

// Three publishers come at once: each gets an epoch, the last one's is the highest, nobody waits.
func TestClaimsAtOnce(t *testing.T) {
	s := newScene(t)
	s.announces("t1", 1, true)
	for _, p := range []string{"p", "q", "r"} {
		s.asks(p, Takeover)
	}
	s.sent("t1: superseded by 2")
	s.superseded(&Superseded{Key: "live/a", Epoch: 1}, s.now)
	s.sent("p: granted 2", "q: granted 3", "r: granted 4")
	s.announces("t2", 2, false) // of one that is superseded already
	s.announces("t4", 4, false)
	s.announces("t3", 3, false)
	s.sent("t2: superseded by 4", "t3: superseded by 4")
	if got := s.list().Broadcasts; len(got) != 1 || got[0].Topic.Id != "t4" {
		t.Errorf("it lists %+v, want t4", got)
	}
}

func TestClaimRejected(t *testing.T) {
	s := newScene(t)
	s.asks("p", Reject)
	s.sent("p: granted 1")
	s.asks("q", Reject) // p's topic is on its way
	s.sent("q: refused")
	s.announces("t1", 1, false)
	s.asks("q", Reject)
	s.sent("q: refused")
	s.announces("t1", 1, true)
	s.now = s.now.Add(time.Hour)
	s.asks("q", Reject)
	s.sent("q: refused")
	s.announces("t1", 1, false) // p is gone: one may come back to one's own broadcast
	s.asks("q", Reject)
	s.sent("t1: superseded by 2")
	s.asks("r", Reject)
	s.sent("r: refused")
}

// A publisher that never came after its grant does not block its key.
func TestClaimPromiseEnds(t *testing.T) {
	s := newScene(t)
	s.asks("p", Reject)
	s.now = s.now.Add(promise)
	s.asks("q", Reject)
	s.sent("p: granted 1", "q: granted 2")
	s.announces("t2", 2, false)
	s.departs("t2")
	s.asks("r", Reject)
	s.sent("r: granted 3")
}

func TestClaimUnanswered(t *testing.T) {
	s := newScene(t)
	s.announces("t1", 1, true)
	e := s.asks("p", Takeover)
	s.sent("t1: superseded by 2")
	s.silent("live/a", e.turn-1, s.now) // of a former claim
	s.silent("live/b", e.turn, s.now)
	s.sent()
	s.silent("live/a", e.turn, s.now)
	s.sent("p: granted 2")
	s.silent("live/a", e.turn, s.now)
	s.announces("t2", 2, true)
	s.asks("q", Takeover)
	s.superseded(&Superseded{Key: "live/a", Epoch: 1}, s.now) // late, from the first
	s.sent("t2: superseded by 3")
	s.superseded(&Superseded{Key: "live/a", Epoch: 2}, s.now)
	s.sent("q: granted 3")
}

func TestClaimWhileTopicEnds(t *testing.T) {
	for name, end := range map[string]func(*scene){
		"withdraws": func(s *scene) {
			s.withdraw(&Withdraw{
				Key: "live/a", Epoch: 1, Last: 5 * media.Second, HasLast: true,
				LastTime: s.now,
			}, s.now)
		},
		"is gone": func(s *scene) {
			s.superseded(&Superseded{
				Key: "live/a", Epoch: 0, Last: 5 * media.Second,
				HasLast: true, LastTime: s.now,
			}, s.now)
			s.departs("t1")
		},
		"is gone before its word is read": func(s *scene) {
			if !s.gone(who("t1"), s.now) {
				s.t.Error("a topic's end is not known to be one's")
			}
			s.sent()
			s.superseded(&Superseded{
				Key: "live/a", Epoch: 1, Last: 5 * media.Second, HasLast: true, LastTime: s.now,
			}, s.now)
			s.departed(who("t1"), s.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.announces("t1", 1, true)
			s.asks("p", Takeover)
			s.sent("t1: superseded by 2")
			end(s)
			s.sent("p: granted 2 from 5000 ms")
		})
	}
}

// The timeline goes on from where the highest epoch came to, and never back.
func TestProgress(t *testing.T) {
	s := newScene(t)
	s.announces("t1", 1, true)
	s.withdraw(&Withdraw{
		Key: "live/a", Epoch: 1, Last: 9 * media.Second, HasLast: true,
		LastTime: s.now,
	}, s.now)
	s.superseded(&Superseded{
		Key: "live/a", Epoch: 1, Last: media.Second, HasLast: true,
		LastTime: s.now.Add(time.Hour),
	}, s.now)
	s.superseded(&Superseded{Key: "live/a", Epoch: 1}, s.now)
	s.now = s.now.Add(time.Second)
	s.asks("p", Takeover)
	s.sent("p: granted 2 from 10000 ms")
}

func TestFollow(t *testing.T) {
	s := newScene(t)
	s.follow(&Follow{Key: "live/a", Follower: who("f")}, s.now)
	s.sent("f: located 0 nowhere")
	s.announces("t1", 1, false)
	s.announces("t1", 1, true)
	s.sent("f: located 1 t1", "f: located 1 t1 live")
	s.follow(&Follow{Key: "live/a", Follower: who("f")}, s.now) // again, after a restart
	s.follow(&Follow{Key: "live/a", Follower: who("g")}, s.now)
	s.sent("f: located 1 t1 live", "g: located 1 t1 live")
	s.departs("t1")
	s.sent("f: located 1 nowhere", "g: located 1 nowhere")
	s.departs("f")
	s.announces("t2", 2, false)
	s.sent("g: located 2 t2")
	s.unfollow(&Unfollow{Key: "live/a", Follower: who("g")}, s.now)
	s.unfollow(&Unfollow{Key: "live/a", Follower: who("g")}, s.now)
	s.announces("t2", 2, true)
	s.departs("nobody")
	s.sent()
}

// Whoever has seen an epoch teaches it to a directory that has lost its memory.
func TestMemoryLost(t *testing.T) {
	s := newScene(t)
	s.follow(&Follow{Key: "live/a", Follower: who("f"), Epoch: 7}, s.now)
	s.announces("t6", 6, true)
	s.sent("f: located 0 nowhere", "t6: superseded by 7")
	s.asks("p", Takeover)
	s.sent("p: granted 8")
}

func TestForget(t *testing.T) {
	s := newScene(t)
	s.asks("p", Takeover)
	s.announces("t1", 1, true)
	s.claim(&Claim{Key: "live/waits"}, who("q"), s.now)
	s.follow(&Follow{Key: "live/followed", Follower: who("f")}, s.now)
	s.out.Take()
	s.now = s.now.Add(Memory + time.Second)
	s.forget(s.now)
	if len(s.entries) != 2 {
		t.Errorf("%d keys are remembered, want those with a topic or a follower", len(s.entries))
	}
	s.departs("t1")
	s.departs("f")
	s.forget(s.now.Add(Memory))
	if len(s.entries) != 2 {
		t.Error("a key is forgotten too soon")
	}
	s.forget(s.now.Add(Memory + 1))
	if len(s.entries) != 0 || len(s.keys) != 0 {
		t.Errorf("%d entries and %d names are left", len(s.entries), len(s.keys))
	}
}

// TestEpochsAreNotGrantedTwice restarts the directory when nobody is left who remembers an epoch.
func TestEpochsAreNotGrantedTwice(t *testing.T) {
	mem := &memory{}
	now := time.Unix(1_800_000_000, 0)
	asker := actor.NewPID("here", "asker")
	for _, want := range []uint64{1, 2, 3} {
		m := newMachine(Options{}, mem)
		m.claim(&Claim{Key: "live/a"}, asker, now)
		out := m.out.Take()
		if g, ok := out[0].Msg.(*Granted); !ok || g.Epoch != want {
			t.Errorf("granted %+v, want epoch %d", out[0].Msg, want)
		}
	}
}

// TestTopicThatFailedIsSupersededAgain has a topic announce itself anew, as after a restart, while
// a claimant waits for it to give way: what it was told before is lost.
func TestTopicThatFailedIsSupersededAgain(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := newMachine(Options{}, &memory{})
	topic, asker := actor.NewPID("here", "topic"), actor.NewPID("here", "asker")
	announce := &Announce{Key: "live/a", Epoch: 1, Topic: topic, Publishing: true}
	m.announce(announce, now)
	m.claim(&Claim{Key: "live/a"}, asker, now)
	m.out.Take()
	m.announce(announce, now)
	out := m.out.Take()
	if len(out) != 1 || !out[0].To.Equal(topic) {
		t.Fatalf("got %+v, want one message to the topic", out)
	}
	if s, ok := out[0].Msg.(*Supersede); !ok || s.Epoch != 2 {
		t.Errorf("got %+v, want epoch 2 to supersede", out[0].Msg)
	}
}

// Among nodes, the latest publisher has the highest epoch: the clock's, unless the count is ahead.
func TestEpochsByClock(t *testing.T) {
	m := newMachine(Options{ByClock: true}, &memory{})
	from := actor.NewPID("nonhost", "publisher")
	epoch := func(key string, at time.Time) uint64 {
		m.claim(&Claim{Key: key}, from, at)
		for _, o := range m.out.Take() {
			if g, ok := o.Msg.(*Granted); ok {
				return g.Epoch
			}
		}
		t.Fatal("nothing is granted")
		return 0
	}
	at := time.UnixMilli(5000)
	m.follow(&Follow{Key: "ahead", Follower: from, Epoch: 9000}, at)
	for _, c := range []struct {
		key  string
		at   time.Time
		want uint64
	}{
		{"a", at, 5000},
		{"a", at, 5001},
		{"a", at.Add(-time.Second), 5002},
		{"a", at.Add(time.Second), 6000},
		{"ahead", at, 9001},
	} {
		if got := epoch(c.key, c.at); got != c.want {
			t.Errorf("%s at %v: %d, not %d", c.key, c.at, got, c.want)
		}
	}
}
