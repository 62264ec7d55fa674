package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// among is a scene of a node that is one of many.
func among(t *testing.T) *scene {
	s := newScene(t)
	s.machine = newMachine(Options{Registrar: who("r")}, &memory{})
	return s
}

// reserves has the registrar answer what the claim that is served waits for.
func (s *scene) reserves(epoch uint64) {
	s.reservedFor(&Reserved{Key: "live/a", Turn: s.entries["live/a"].turn, Epoch: epoch}, s.now)
}

func (s *scene) steps(from uint64) {
	s.superseded(&Superseded{
		Key: "live/a", Epoch: from, Last: media.Second, HasLast: true, LastTime: s.now,
	}, s.now)
}

// An epoch is reserved first, then what is on the air ends, and how far it came counts.
func TestClaimReserves(t *testing.T) {
	s := among(t)
	s.asks("p", Takeover)
	s.sent("r: reserve above 0")
	s.reservedFor(&Reserved{
		Key: "live/a", Turn: s.entries["live/a"].turn, Epoch: 70, Last: 2 * media.Second,
		HasLast: true, LastTime: s.now,
	}, s.now)
	s.sent("p: granted 70 from 2000 ms")
	s.announces("t70", 70, false)
	s.announces("t70", 70, true)
	s.announces("t70", 70, true)
	s.sent("r: here 70 false", "r: here 70 true")
	s.asks("q", Takeover)
	s.sent("r: reserve above 70")
	s.reserves(90)
	s.sent("t70: superseded by 90")
	s.steps(70)
	s.sent("q: granted 90 from 2000 ms")
	s.withdraw(&Withdraw{Key: "live/a", Epoch: 70}, s.now)
	s.announces("t90", 90, true)
	s.unkept("live/a", s.now.Add(time.Hour))
	s.sent("r: here 90 true")
	s.departs("t90")
	s.sent("r: not here 90")
}

// Whatever keeps the cluster from an answer, what is on the air goes on.
func TestClaimUnreserved(t *testing.T) {
	for name, end := range map[string]func(*scene, *entry){
		"silent": func(s *scene, e *entry) { s.silent("live/a", e.turn, s.now) },
		"refused": func(s *scene, e *entry) {
			s.unreserved(&Unreserved{Key: "live/a", Turn: e.turn}, s.now)
		},
		"too low": func(s *scene, _ *entry) { s.reserves(5) },
		"overtaken": func(s *scene, _ *entry) {
			s.ends(&Outdated{Key: "live/a", Epoch: 3}, s.now)
			s.reserves(5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := among(t)
			s.announces("t5", 5, true)
			e := s.asks("p", Takeover)
			s.asks("q", Takeover)
			s.sent("r: here 5 true", "r: reserve above 5")
			end(s, e)
			s.sent("p: refused", "r: reserve above 5")
			s.reserves(6)
			s.sent("t5: superseded by 6")
			s.reserves(7) // of another turn's kind
			s.silent("live/a", e.turn, s.now)
			s.sent("q: granted 6")
		})
	}
}

// A broadcast that ends while an epoch is reserved is not waited for, and one that is granted to
// nobody is told to be gone after a while.
func TestClaimIsNotKept(t *testing.T) {
	s := among(t)
	s.announces("t5", 5, true)
	s.asks("p", Takeover)
	s.reserves(6)
	s.steps(5)
	s.sent("r: here 5 true", "r: reserve above 5", "t5: superseded by 6", "p: granted 6 from 1000 ms")
	s.unkept("live/a", s.now)
	s.sent()
	s.unkept("live/a", s.now.Add(promise))
	s.sent("r: not here 5")
	s.announces("t6", 6, true)
	s.asks("q", Takeover)
	s.sent("r: here 6 true", "r: reserve above 6")
	s.departs("t6")
	s.sent("r: not here 6")
	s.reserves(8)
	s.sent("q: granted 8 from 1000 ms")
}

// Nobody's broadcast ends for a claimant who has given up.
func TestClaimsWaitTooLong(t *testing.T) {
	s := among(t)
	s.announces("t5", 5, true)
	for _, p := range []string{"p", "q"} {
		s.asks(p, Takeover)
	}
	s.sent("r: here 5 true", "r: reserve above 5")
	s.now = s.now.Add(queueTime + 1)
	s.asks("r2", Takeover)
	s.silent("live/a", s.entries["live/a"].turn, s.now)
	s.sent("p: refused", "q: refused", "r: reserve above 5")
}

func TestOutdated(t *testing.T) {
	s := among(t)
	s.announces("t5", 5, true)
	s.ends(&Outdated{Key: "live/a", Epoch: 5, Node: "o-2"}, s.now)
	s.sent("r: here 5 true")
	s.ends(&Outdated{Key: "live/a", Epoch: 9, Node: "o-2"}, s.now)
	s.sent("t5: superseded by 9 on o-2")
	s.announces("t5", 5, true) // after a failure
	s.sent("t5: superseded by 9 on o-2")
	s.steps(5)
	s.departs("t5")
	s.asks("p", Takeover)
	s.sent("r: not here 5", "r: reserve above 9")
}

func TestPlaces(t *testing.T) {
	s := among(t)
	s.Static = []Place{{Node: "o-1", Link: who("l1"), Static: true}}
	s.follow(&Follow{Key: "live/a", Follower: who("f")}, s.now)
	s.follow(&Follow{Key: "live/a", Follower: who("g")}, s.now)
	s.sent("r: *directory.Locate", "f: located 0 nowhere at o-1", "g: located 0 nowhere at o-1")
	places := []Place{{Node: "o-2", Link: who("l2")}}
	s.placed(&Places{Key: "live/a", Epoch: 7, Places: places}, s.now)
	s.sent("f: located 0 nowhere at o-1 at o-2", "g: located 0 nowhere at o-1 at o-2")
	s.placed(&Places{Key: "live/a", Epoch: 8, Places: places}, s.now) // nothing new
	s.asks("p", Takeover)
	s.sent("r: reserve above 8")
	s.rebound()
	s.sent("r: *directory.Locate")
	s.unfollow(&Unfollow{Key: "live/a", Follower: who("f")}, s.now)
	s.departs("g")
	s.sent("r: *directory.Forget")
	s.placed(&Places{Key: "live/a", Epoch: 9, Places: places}, s.now) // late
	s.follow(&Follow{Key: "live/a", Follower: who("h")}, s.now)
	s.sent("r: *directory.Locate", "h: located 0 nowhere at o-1")
}

// Who follows many keys leaves them all with its end.
func TestFollowerOfMany(t *testing.T) {
	s := among(t)
	for i := range 5 {
		s.follow(&Follow{Key: fmt.Sprint("live/", i), Follower: who("peer")}, s.now)
	}
	s.out.Take()
	s.departs("peer")
	s.sent("r: *directory.Forget", "r: *directory.Forget", "r: *directory.Forget",
		"r: *directory.Forget", "r: *directory.Forget")
	if len(s.keys)+len(s.many) != 0 {
		t.Error("it is remembered")
	}
}

// A registrar that was restarted is told what is here and what is followed, and no more.
func TestRebound(t *testing.T) {
	s := among(t)
	s.announces("t5", 5, true)
	s.follow(&Follow{Key: "live/b", Follower: who("f")}, s.now)
	s.follow(&Follow{Key: "live/c", Follower: who("f")}, s.now)
	s.unfollow(&Unfollow{Key: "live/c", Follower: who("f")}, s.now)
	s.out.Take()
	s.rebound()
	if out := s.out.Take(); len(out) != 2 {
		t.Errorf("it is told %+v", out)
	}
}
