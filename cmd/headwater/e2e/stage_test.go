package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// stage is what the tests of a cluster's faults begin with: a cluster in a lab, a source that
// publishes film, and light viewers on each edge.
type stage struct {
	*lab
	etcd             *etcd
	studio, audience *host
	nodes            map[string]*node
	edges            []*node
	flags            []string // of every node
	source           *source
	groups           groups
	publisher        *publisher
	active           string // who it publishes to
}

// casting is who is on a stage.
type casting struct {
	etcds, origins, edges int
	viewers               int // on each edge
	units                 []unit
	flags                 []string
}

// startStage returns when all viewers see the broadcast, and its standby mirrors it.
func startStage(t *testing.T, c casting) *stage {
	t.Helper()
	s := &stage{
		lab: newLab(t), nodes: map[string]*node{}, flags: c.flags, source: newSource(t, c.units),
		groups: groups{}, active: "o-1",
	}
	var hosts []*host
	for i := range c.etcds {
		hosts = append(hosts, s.host(t, fmt.Sprint("etcd-", i+1)))
	}
	s.etcd = s.lab.etcd(t, hosts...)
	s.studio, s.audience = s.host(t, "studio"), s.host(t, "audience")
	for i := range c.origins {
		s.host(t, fmt.Sprint("o-", i+1))
		s.join(t, fmt.Sprint("o-", i+1), "origin")
	}
	for i := range c.edges {
		name := fmt.Sprint("e-", i+1)
		s.host(t, name)
		s.edges = append(s.edges, s.join(t, name, "edge"))
		s.groups[name] = s.audience.crowd(t, s.nodes[name], "film", c.viewers)
	}
	await(t, "the edges know everybody", func() bool {
		return !slices.ContainsFunc(s.edges, func(e *node) bool {
			return len(e.members(t)) != c.origins+c.edges
		})
	})
	s.publisher = s.source.publish(t, s.studio, s.nodes[s.active], "film")
	s.source.run(t)
	awaitMore(t, s.groups, 60)
	if c.origins > 1 {
		s.awaitStandby(t)
	}
	return s
}

// join starts a node of the cluster on its host, again after it was killed.
func (s *stage) join(t *testing.T, name, roles string) *node {
	t.Helper()
	n := s.hosts[name].member(t, s.etcd, roles, s.flags...)
	s.nodes[name] = n
	return n
}

// awaitStandby waits until the first edge knows that another node than the active mirrors film, and
// returns its name.
func (s *stage) awaitStandby(t *testing.T) (name string) {
	t.Helper()
	await(t, "there is a standby", func() bool {
		all := s.edges[0].broadcasts(t)
		for _, b := range all {
			if b.Key == "live/film" && b.Role == "active" && b.Node == s.active {
				name = b.Standby
			}
		}
		return name != "" && slices.ContainsFunc(all, func(b broadcast) bool {
			return b.Key == "live/film" && b.Node == name && b.Role == "standby" &&
				!over(s.nodes[name].ended)
		})
	})
	return name
}

// move has the source go to another origin, as an encoder does that has lost its connection: again
// and again until it is taken. What it is told when it is not is logged.
func (s *stage) move(t *testing.T, to string) {
	t.Helper()
	s.source.leave(s.publisher)
	s.publishTo(t, to)
}

// usurp has the source go to another origin, and once every viewer has that, what published it goes
// on at the former one, with pictures of its own: whoever shows those takes a stale epoch. It
// returns that publisher.
func (s *stage) usurp(t *testing.T, to string) (old *publisher) {
	t.Helper()
	old = s.publisher
	s.source.desert(old)
	s.publishTo(t, to)
	awaitMore(t, s.groups, 30)
	_ = old.conn.SetWriteDeadline(time.Now().Add(patience))
	old.feed(t, slices.DeleteFunc(slices.Clone(longGOP.get(t)), func(u unit) bool {
		return u.kind != media.Video // the sound is the same
	}))
	return old
}

// publishTo has the source be published to an origin, as soon as that takes it.
func (s *stage) publishTo(t *testing.T, to string) {
	t.Helper()
	s.active = to
	await(t, to+" takes the publisher", func() bool {
		p, err := publishOn(t, s.studio.dial(t, s.nodes[to].rtmp), "film")
		if err != nil {
			t.Logf("%s refuses: %v", to, err)
			return false
		}
		s.publisher = p
		s.source.take(p)
		return true
	})
}

// settle ends the broadcast and waits until all viewers have the last unit.
func (s *stage) settle(t *testing.T) audit {
	t.Helper()
	s.source.halt()
	s.source.ledger.awaitEnd(t, s.groups.all()...)
	return s.source.ledger.report(t, s.groups)
}

// checkWhole holds each viewer to everything that was sent, once and in order.
func (s *stage) checkWhole(t *testing.T, viewers ...*light) {
	t.Helper()
	for _, v := range viewers {
		v.mustWatch(t)
		if a := s.source.ledger.audit(v.entries()); !a.clean() {
			t.Errorf("%s: %d lost, %d twice, %d reordered, %d torn, %d falls, %d strange", v.name,
				a.lost, a.duplicated, a.reordered, a.torn, a.falls, a.strange)
		}
	}
}

// checkNobodyClosed holds that no edge has closed a viewer.
func (s *stage) checkNobodyClosed(t *testing.T) {
	t.Helper()
	for _, e := range s.edges {
		if n := e.metric(t, "headwater_viewer_closes_total"); n != 0 {
			t.Errorf("%s has closed %v viewers", e.host.name, n)
		}
	}
}
