package e2e

import (
	"fmt"
	"testing"
	"time"
)

// scene is what the tests of faults begin with: an origin with a source, two edges, of which the
// second never has a fault, and ten light viewers on each.
type scene struct {
	*lab
	origin *node
	edges  []*node
	source *source
	groups groups
	whole  []*viewer // on the first edge, one by each protocol, who keep all that they get
}

// startScene returns when all viewers see the broadcast.
func startScene(t *testing.T, units []unit, flags ...string) *scene {
	t.Helper()
	s := &scene{lab: newLab(t), source: newSource(t, units), groups: groups{}}
	audience := s.host(t, "audience")
	s.origin = s.host(t, "o-1").origin(t)
	s.source.publish(t, s.host(t, "studio"), s.origin, "film")
	for i := range 2 {
		e := s.host(t, fmt.Sprint("e-", i+1)).edge(t, []*node{s.origin}, flags...)
		s.edges = append(s.edges, e)
		s.groups[e.host.name] = audience.crowd(t, e, "film", 10)
	}
	s.whole = audience.watch(t, s.edges[0], "film")
	s.source.run(t)
	for _, v := range s.groups.all() {
		v.awaitEntries(t, 100)
	}
	return s
}

// awaitSilence waits until the first edge or the origin says that the link is gone.
func (s *scene) awaitSilence(t *testing.T, n *node, side string) time.Duration {
	t.Helper()
	began := time.Now()
	await(t, n.host.name+" notices the silence", func() bool {
		return n.metric(t, "headwater_link_ends_total", `side="`+side+`"`, `reason="silent"`) > 0
	})
	return time.Since(began)
}

// settle ends the broadcast and holds the edge beside the faulty one to all of it, and the viewers
// of that to what decodes.
func (s *scene) settle(t *testing.T) (faulty audit) {
	t.Helper()
	s.source.halt()
	s.source.ledger.awaitEnd(t, s.groups.all()...)
	s.source.ledger.report(t, s.groups)
	for _, v := range s.groups[s.edges[1].host.name] {
		if a := s.source.ledger.audit(v.entries()); !a.clean() {
			t.Errorf("%s, beside the fault: %+v", v.name, a)
		}
	}
	for _, v := range s.groups[s.edges[0].host.name] {
		a := s.source.ledger.audit(v.entries())
		if !a.orderly() {
			t.Errorf("%s: what comes cannot be played", v.name)
		}
		faulty = faulty.and(a)
	}
	for _, v := range s.whole {
		v.mustWatch(t)
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
	if n := s.edges[0].metric(t, "headwater_viewer_closes_total"); n != 0 {
		t.Errorf("%v viewers were closed", n)
	}
	return faulty
}

// TestPartition parts an edge from its origin, one way, the other and both, for longer than it
// takes to notice, and heals it while the ring still has what was missed: its viewers hold on, and
// get all of it.
func TestPartition(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]struct {
		by    func(t *testing.T, s *scene, origin, edge *host)
		sides []string // who can tell by the silence
	}{
		"the edge hears nothing": {
			func(t *testing.T, s *scene, o, e *host) { t.Helper(); s.cut(t, o, e) },
			[]string{"edge"},
		},
		"the origin hears nothing": {
			func(t *testing.T, s *scene, o, e *host) { t.Helper(); s.cut(t, e, o) },
			[]string{"origin"},
		},
		"both": {
			func(t *testing.T, s *scene, o, e *host) { t.Helper(); s.part(t, o, e) },
			[]string{"edge", "origin"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startScene(t, film.get(t), "--viewer.max-behind", "8s")
			o, e := s.origin, s.edges[0]
			part.by(t, s, o.host, e.host)
			for _, side := range part.sides {
				n := map[string]*node{"edge": e, "origin": o}[side]
				if took := s.awaitSilence(t, n, side); took > 6*time.Second {
					t.Errorf("%s notices after %v", side, took)
				}
			}
			s.heal(t, o.host, e.host)
			e.awaitLinks(t, "edge", 1)
			if a := s.settle(t); !a.clean() {
				t.Errorf("the ring had what was missed, and viewers did not get it: %d lost", a.lost)
			}
			if n := e.metric(t, "headwater_topic_gaps_total"); n != 0 {
				t.Errorf("%v gaps", n)
			}
		})
	}
}

// TestLongPartition parts an edge from its origin until the ring has forgotten what was missed:
// viewers hold on, miss whole GOPs, and see nothing that does not decode.
func TestLongPartition(t *testing.T) {
	t.Parallel()
	s := startScene(t, film.get(t), "--viewer.max-behind", "8s")
	o, e := s.origin, s.edges[0]
	s.part(t, o.host, e.host)
	s.awaitSilence(t, e, "edge")
	beside := s.groups[s.edges[1].host.name][0]
	beside.awaitEntries(t, len(beside.entries())+750) // ten seconds, of which the ring has eight
	s.heal(t, o.host, e.host)
	e.awaitLinks(t, "edge", 1)
	if a := s.settle(t); a.lost == 0 {
		t.Error("nothing is lost: this tests nothing")
	}
}

// TestBadWeather has an edge behind a network that loses 2 % of all packets, delays them by 40 ms
// and reorders some: TCP hides that, and not a unit is lost.
func TestBadWeather(t *testing.T) {
	t.Parallel()
	s := startScene(t, film.get(t))
	bad := weatherOf{
		delay: 40 * time.Millisecond, jitter: 10 * time.Millisecond, loss: 2, reorder: 5,
	}
	s.delay(t, s.edges[0].host, bad, s.origin.host)
	s.delay(t, s.origin.host, bad, s.edges[0].host)
	first := s.groups[s.edges[0].host.name][0]
	first.awaitEntries(t, 1000)
	if a := s.settle(t); !a.clean() {
		t.Errorf("%d units are lost", a.lost)
	}
	if n := s.edges[0].metric(t, "headwater_link_ends_total"); n != 0 {
		t.Errorf("the link ended %v times", n)
	}
}

// TestOriginsDie kills the origin that has the broadcast, then freezes the next. The publisher goes
// to another each time, at its next keyframe; a second broadcast, on neither, notices nothing. What
// viewers miss is what died with an origin, and they see whole GOPs.
func TestOriginsDie(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	studio, audience := l.host(t, "studio"), l.host(t, "audience")
	var origins []*node
	for i := range 3 {
		h := l.host(t, fmt.Sprint("o-", i+1))
		origins = append(origins, h.node(t, "--link.listen", h.at(linkPort)))
	}
	s, g := newSource(t, film.get(t)), groups{}
	p := s.publish(t, studio, origins[0], "film")
	studio.encode(t, origins[2].rtmpURL("other"))
	var others []*viewer
	for i := range 2 {
		e := l.host(t, fmt.Sprint("e-", i+1)).edge(t, origins)
		g[e.host.name] = audience.crowd(t, e, "film", 10)
		others = append(others, audience.watch(t, e, "other")...)
	}
	s.run(t)
	awaitMore(t, g, 150)
	l.kill(t, "o-1")
	s.leave(p)
	p = s.publish(t, studio, origins[1], "film")
	awaitMore(t, g, 300)
	l.freeze(t, "o-2")
	s.leave(p)
	s.publish(t, studio, origins[2], "film")
	awaitMore(t, g, 300)
	l.thaw(t, "o-2")
	awaitMore(t, g, 150)
	s.halt()
	s.ledger.awaitEnd(t, g.all()...)
	s.ledger.report(t, g)
	for _, v := range g.all() {
		a := s.ledger.audit(v.entries())
		if longest := quantile(a.gaps, 1); !a.orderly() || longest > 5*time.Second {
			t.Errorf("%s: %d torn, %d falls, a gap of %v", v.name, a.torn, a.falls, longest)
		}
	}
	for _, v := range others {
		v.mustWatch(t)
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
}

// awaitMore waits until every viewer has got so many units more.
func awaitMore(t *testing.T, g groups, units int) {
	t.Helper()
	had := map[*light]int{}
	for _, v := range g.all() {
		had[v] = len(v.entries())
	}
	for v, n := range had {
		v.awaitEntries(t, n+units)
	}
}
