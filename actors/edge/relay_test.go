package edge

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
)

// upstreams are the directory, gates, links and the edge's topic around a relay, and what it says.
type upstreams struct {
	t      *testing.T
	system *actor.ActorSystem
	relay  *actor.PID
	pids   map[string]*actor.PID
	mu     sync.Mutex
	said   []string
}

func relayed(t *testing.T, act func(*upstreams)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		u := &upstreams{t: t, system: newSystem(), pids: map[string]*actor.PID{}}
		for _, name := range []string{"directory", "topic", "g1", "g2", "l1", "l2", "l3"} {
			u.pids[name] = u.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				u.hear(name, ctx.Message())
			}))
		}
		self := &supervise.Self{Log: u.system.Logger()}
		u.relay = u.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return NewRelay(RelayOptions{
				Key: "live/a", Directory: u.pids["directory"], Topic: u.pids["topic"],
			})(self)
		}))
		act(u)
		_ = u.system.Root.PoisonFuture(u.relay).Wait()
		for _, pid := range u.pids {
			_ = u.system.Root.PoisonFuture(pid).Wait()
		}
		u.system.Shutdown()
		pass(time.Minute)
	})
}

func pass(d time.Duration) { <-time.After(d) }

func (u *upstreams) hear(name string, msg any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch msg := msg.(type) {
	case *directory.Follow:
		u.said = append(u.said, fmt.Sprint("follows from ", msg.Epoch))
	case *directory.Unfollow:
		u.said = append(u.said, "unfollows")
	case *gate.Subscribe:
		u.said = append(u.said, "+"+name)
	case *gate.Unsubscribe:
		u.said = append(u.said, "-"+name)
	case *topic.Seal:
		u.said = append(u.said, fmt.Sprint(name, " seals ", msg.Seq))
	}
}

// located tells the relay where its broadcast is.
func (u *upstreams) located(gateway string, epoch uint64, elsewhere bool, links ...string) {
	l := &directory.Located{
		Key: "live/a", Epoch: epoch, Gate: u.pids[gateway], Elsewhere: elsewhere,
	}
	for _, name := range links {
		l.Places = append(l.Places, directory.Place{Node: name, Link: u.pids[name]})
	}
	u.system.Root.Send(u.relay, l)
}

func (u *upstreams) expect(want ...string) {
	u.t.Helper()
	synctest.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	slices.Sort(u.said) // what it says to several has no order
	slices.Sort(want)
	if !slices.Equal(u.said, want) {
		u.t.Errorf("it said %q, want %q", u.said, want)
	}
	u.said = nil
}

// A relay follows all places at once, and a changed set changes nothing for those that stay.
func TestRelayFollowsAllPlaces(t *testing.T) {
	relayed(t, func(u *upstreams) {
		u.located("", 0, false)
		u.expect("follows from 0")
		u.located("", 0, true, "l1", "l2")
		u.expect("+l1", "+l2")
		u.located("g1", 5, false, "l1", "l2")
		u.expect("+g1")
		u.located("g1", 5, true, "l2", "l3")
		u.expect("+l3")
		pass(parting / 2)
		u.located("g1", 5, true, "l3")
		pass(parting * 3 / 4)
		u.expect("-l1")
		pass(parting)
		u.expect("-l2")
		u.system.Root.Send(u.relay, &topic.Seal{Seq: 7})
		u.expect("topic seals 7")
		u.located("", 5, true, "l1", "l3") // it gives out the last of what it has
		u.expect("+l1")
		u.located("g1", 4, false, "l1", "l3") // an older one
		u.expect()
		u.located("g2", 6, false, "l1", "l3")
		u.expect("-g1", "+g2")
		u.located("g2", 6, false, "l1", "l3") // it may not have been up before
		u.expect("+g2")
		u.system.Root.Send(u.relay, &supervise.Rebind{Sibling: "directory"})
		u.expect("follows from 6")
		_ = u.system.Root.StopFuture(u.relay).Wait()
		u.expect("-g2", "-l3", "-l1", "unfollows")
	})
}

// A place that comes back in time was never left.
func TestRelayPlaceComesBack(t *testing.T) {
	relayed(t, func(u *upstreams) {
		u.located("", 0, false, "l1")
		u.located("", 0, false)
		u.expect("follows from 0", "+l1")
		pass(parting / 2)
		u.located("", 0, false, "l1")
		pass(2 * parting)
		u.expect()
	})
}
