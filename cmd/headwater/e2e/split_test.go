package e2e

import (
	"slices"
	"testing"
	"time"
)

// Parts of a cluster that do not hear each other, and nodes that die or hang beside the active one:
// viewers miss nothing of it.

// parting parts two hosts of a lab.
type parting func(t *testing.T, l *lab, a, b *host)

// partings are the ways in which that can be done.
func partings() map[string]parting {
	return map[string]parting{
		"the first hears nothing": func(t *testing.T, l *lab, a, b *host) { t.Helper(); l.cut(t, b, a) },
		"the other hears nothing": func(t *testing.T, l *lab, a, b *host) { t.Helper(); l.cut(t, a, b) },
		"both":                    func(t *testing.T, l *lab, a, b *host) { t.Helper(); l.part(t, a, b) },
	}
}

// partFor is how long hosts are parted: longer than it takes to notice, and than a lease.
const partFor = 6 * time.Second

// aWhile lets the broadcast go on while something is broken.
func (s *stage) aWhile(t *testing.T, length time.Duration) {
	t.Helper()
	for end := time.Now().Add(length); time.Now().Before(end); {
		awaitMore(t, s.groups, 30)
	}
}

// stale is how many units of a former epoch the edges have refused.
func (s *stage) stale(t *testing.T) (refused float64) {
	t.Helper()
	for _, e := range s.edges {
		refused += e.metric(t, "headwater_topic_refused_total", `role="edge"`, `reason="stale"`)
	}
	return refused
}

// TestEdgeWithoutTheActive parts an edge from the active origin: it has the broadcast from the
// standby, and its viewers notice nothing.
func TestEdgeWithoutTheActive(t *testing.T) {
	t.Parallel()
	for name, part := range partings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startStage(t, casting{etcds: 1, origins: 2, edges: 2, viewers: 5, units: film.get(t)})
			o, e := s.hosts["o-1"], s.hosts["e-1"]
			part(t, s.lab, o, e)
			s.aWhile(t, partFor)
			s.checkWhole(t, s.groups.all()...)
			s.heal(t, o, e)
			s.aWhile(t, partFor/2)
			s.settle(t)
			s.checkWhole(t, s.groups.all()...)
			s.checkNobodyClosed(t)
		})
	}
}

// TestStandbyWithoutTheActive parts the standby from the active: edges have the broadcast from the
// active, and once healed, the standby mirrors it again.
func TestStandbyWithoutTheActive(t *testing.T) {
	t.Parallel()
	for name, part := range partings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startStage(t, casting{
				etcds: 1, origins: 2, edges: 2, viewers: 5, units: film.get(t),
				flags: []string{"--viewer.max-behind", "8s"}, // what was missed comes in a burst
			})
			a, b := s.hosts["o-1"], s.hosts["o-2"]
			part(t, s.lab, a, b)
			s.aWhile(t, partFor)
			s.checkWhole(t, s.groups.all()...)
			s.heal(t, a, b)
			witness := s.audience.crowd(t, s.nodes["o-2"], "film", 1)[0]
			witness.awaitEntries(t, 100)
			s.settle(t)
			s.source.ledger.awaitEnd(t, witness)
			s.checkWhole(t, append(s.groups.all(), witness)...)
			s.checkNobodyClosed(t)
		})
	}
}

// TestActiveWithoutEtcd parts the active origin from etcd for longer than its lease: it goes on,
// and nobody leaves it, until another origin takes its key over. What it says then is refused, and
// once healed, it knows better.
func TestActiveWithoutEtcd(t *testing.T) {
	t.Parallel()
	for name, part := range partings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clip, length := &film, partFor
			if soak(t) > 0 {
				clip, length = &epic, 90*time.Second
			}
			s := startStage(t, casting{etcds: 1, origins: 2, edges: 2, viewers: 5, units: clip.get(t)})
			o, e := s.hosts["o-1"], s.hosts["etcd-1"]
			part(t, s.lab, o, e)
			s.aWhile(t, length)
			if n := len(s.etcd.members[0].nodes(t)); n != 3 {
				t.Errorf("%d nodes are registered, want all but the active", n)
			}
			s.checkWhole(t, s.groups.all()...)
			s.checkRefused(t, s.nodes["o-1"])
			old := s.usurp(t, "o-2")
			s.aWhile(t, partFor)
			t.Logf("the edges have refused %v units of the former epoch", s.stale(t))
			if s.stale(t) == 0 {
				t.Error("nothing of a stale epoch was refused: this tests nothing")
			}
			s.heal(t, o, e)
			ends(t, "the publisher of the former active", old.ended)
			await(t, "it is a member again", func() bool { return s.nodes["o-1"].holds(t) })
			s.awaitStandby(t)
			s.settle(t)
			s.checkWhole(t, s.groups.all()...)
			s.checkNobodyClosed(t)
		})
	}
}

// TestActiveSuspended stops the active origin's process for ten seconds, while what publishes to it
// goes on: once woken it fences itself, no edge shows a unit of its epoch, and it is a member
// again.
func TestActiveSuspended(t *testing.T) {
	t.Parallel()
	s := startStage(t, casting{etcds: 1, origins: 2, edges: 2, viewers: 5, units: film.get(t)})
	witness := s.audience.crowd(t, s.nodes["o-2"], "film", 1)[0]
	awaitMore(t, s.groups, 60)
	stopped := time.Now()
	s.freeze(t, "o-1")
	old := s.usurp(t, "o-2")
	s.aWhile(t, time.Until(stopped.Add(10*time.Second)))
	s.thaw(t, "o-1")
	woken := time.Now()
	ends(t, "the publisher of the woken node", old.ended)
	t.Logf("the woken node has let its publisher go after %v", time.Since(woken))
	await(t, "it is a member again", func() bool { return s.nodes["o-1"].holds(t) })
	s.awaitStandby(t)
	s.aWhile(t, time.Second)
	t.Logf("the edges have refused %v units of the former epoch", s.stale(t))
	s.settle(t)
	s.checkMirrored(t, witness.entries())
	s.checkNobodyClosed(t)
}

// checkMirrored holds every viewer to all that viewers on the standbys' own nodes have. What did
// not get that far died with a node, unless it had reached one of the edges.
func (s *stage) checkMirrored(t *testing.T, witnesses ...[]entry) {
	t.Helper()
	mirrored, reached := map[uint64]bool{}, map[uint64]bool{}
	for _, got := range witnesses {
		note(mirrored, got)
	}
	for _, v := range s.groups.all() {
		note(reached, v.entries())
	}
	lost, lonely := 0, 0
	for _, v := range s.groups.all() {
		v.mustWatch(t)
		lacks := s.source.ledger.lacks(v.entries(), mirrored)
		if lost += lacks; lacks > 0 {
			t.Errorf("%s lacks %d units that the standby had", v.name, lacks)
		}
		lonely = max(lonely, s.source.ledger.lacks(v.entries(), reached))
		if a := s.source.ledger.audit(v.entries()); !a.orderly() {
			t.Errorf("%s: %d twice, %d reordered, %d torn, %d falls, %d strange", v.name,
				a.duplicated, a.reordered, a.torn, a.falls, a.strange)
		}
	}
	sent, dead := len(s.source.ledger.sent), 0
	for _, e := range s.source.ledger.sent {
		if !reached[e.sum] {
			dead++
		}
	}
	t.Logf("of %d units %d died with an origin, and %d reached one edge and not the standby; "+
		"of what the standby had %d are lost in all", sent, dead, lonely, lost)
}

// TestBesideTheActive kills the standby, then an edge, and stops the next standby's process: the
// viewers of the other edge miss nothing, and each time there is a new standby.
func TestBesideTheActive(t *testing.T) {
	t.Parallel()
	s := startStage(t, casting{etcds: 1, origins: 3, edges: 2, viewers: 5, units: film.get(t)})
	first := s.awaitStandby(t)
	gone := time.Now()
	s.kill(t, first)
	second := s.awaitNext(t, first)
	t.Logf("%s is the standby %v after %s was killed", second, time.Since(gone), first)
	s.aWhile(t, time.Second)
	s.checkWhole(t, s.groups.all()...)
	s.join(t, first, "origin")
	s.kill(t, "e-2")
	s.groups = groups{"e-1": s.groups["e-1"]}
	s.aWhile(t, time.Second)
	s.edges[1] = s.join(t, "e-2", "edge")
	s.groups["e-2"] = s.audience.crowd(t, s.edges[1], "film", 5)
	s.aWhile(t, time.Second)
	gone = time.Now()
	s.freeze(t, second)
	third := s.awaitNext(t, second)
	t.Logf("%s is the standby %v after %s was stopped", third, time.Since(gone), second)
	s.aWhile(t, time.Second)
	s.checkWhole(t, s.groups.all()...)
	s.thaw(t, second)
	await(t, "who was stopped is a member again", func() bool {
		return s.nodes[second].holds(t) && len(s.edges[0].members(t)) == 5
	})
	s.settle(t)
	s.checkWhole(t, s.groups.all()...)
	s.checkNobodyClosed(t)
}

// awaitNext waits until another node than a former one is the standby, and mirrors.
func (s *stage) awaitNext(t *testing.T, former string) (name string) {
	t.Helper()
	await(t, "there is another standby than "+former, func() bool {
		all := s.edges[0].broadcasts(t)
		return slices.ContainsFunc(all, func(b broadcast) bool {
			name = b.Standby
			return b.Key == "live/film" && b.Role == "active" && name != former && name != "" &&
				slices.ContainsFunc(all, func(o broadcast) bool {
					return o.Key == b.Key && o.Node == name && o.Role == "standby"
				})
		})
	})
	return name
}

// TestTiersLoseTheirMiddle kills edges of the first tier: those below have two parents, and miss
// nothing.
func TestTiersLoseTheirMiddle(t *testing.T) {
	t.Parallel()
	const edges = 6
	s := startStage(t, casting{
		etcds: 1, origins: 2, edges: edges, viewers: 3, units: film.get(t),
		flags: []string{"--edge.fanout", "2"},
	})
	s.aWhile(t, 3*time.Second) // those who were asked before all were there are left
	carried := map[string]float64{}
	fed := func(name string) float64 {
		return s.nodes[name].metric(t, "headwater_link_access_units_total", `side="origin"`)
	}
	for _, e := range s.edges {
		carried[e.host.name] = fed(e.host.name)
	}
	s.aWhile(t, time.Second)
	var middle, leaves []string
	for _, e := range s.edges {
		if fed(e.host.name) > carried[e.host.name] {
			middle = append(middle, e.host.name)
		} else {
			leaves = append(leaves, e.host.name)
		}
	}
	t.Logf("%v feed %v", middle, leaves)
	if len(middle) != 2 {
		t.Fatalf("%v feed others, want two", middle)
	}
	s.kill(t, middle[0])
	for i, e := range s.edges {
		if e.host.name == middle[0] {
			s.edges = slices.Delete(s.edges, i, i+1)
			break
		}
	}
	delete(s.groups, middle[0])
	s.aWhile(t, partFor)
	s.checkWhole(t, s.groups.all()...)
	s.settle(t)
	s.checkWhole(t, s.groups.all()...)
	s.checkNobodyClosed(t)
}

// TestSlowEdgeOfACluster has an edge of a cluster whose interface carries a tenth of a broadcast:
// it leaves out whole GOPs, and an edge beside it has all of the broadcast.
func TestSlowEdgeOfACluster(t *testing.T) {
	t.Parallel()
	units := heavy.get(t)
	size := 0
	for _, u := range units {
		size += len(u.body)
	}
	s := startStage(t, casting{etcds: 1, origins: 2, edges: 2, viewers: 5, units: units})
	s.groups = groups{"e-1": s.groups["e-1"]} // who is outside is not to be slow too
	slow := s.hosts["e-2"].crowd(t, s.nodes["e-2"], "film", 5)
	for _, v := range slow {
		v.awaitEntries(t, 30)
	}
	s.slow(t, s.hosts["e-2"], size*8/30/10)
	s.aWhile(t, 15*time.Second)
	s.source.halt()
	s.source.ledger.awaitEnd(t, s.groups.all()...)
	s.checkWhole(t, s.groups.all()...)
	s.slow(t, s.hosts["e-2"], 0)
	s.groups["e-2"] = slow
	s.source.ledger.report(t, s.groups)
	for _, v := range slow {
		v.mustWatch(t)
		a := s.source.ledger.audit(v.entries())
		if !a.orderly() || a.lost+a.behind == 0 {
			t.Errorf("%s: %d lost, %d behind, %d twice, %d reordered, %d torn, %d falls", v.name, a.lost,
				a.behind, a.duplicated, a.reordered, a.torn, a.falls)
		}
	}
	s.checkNobodyClosed(t)
}
