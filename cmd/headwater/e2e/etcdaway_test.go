package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// Broadcasts on the air need no etcd. All three of its members are killed for ten seconds, or for
// a minute with HEADWATER_SOAK, and come back with their data or without.

// away is how long etcd is away in full.
const away = time.Minute

// startWithoutEtcd has a stage with a masked broadcast beside film, and no etcd any more.
func startWithoutEtcd(t *testing.T) (*stage, *masked) {
	t.Helper()
	clip, viewers := &film, 10
	if soak(t) > 0 {
		clip, viewers = &epic, 100
	}
	s := startStage(t, casting{etcds: 3, origins: 2, edges: 2, viewers: viewers, units: clip.get(t)})
	m := s.mask(t)
	for _, e := range s.etcd.members {
		e.process.kill(t)
	}
	return s, m
}

// leaveAlone waits while there is no etcd, and holds that the viewers have all there is meanwhile.
func (s *stage) leaveAlone(t *testing.T) {
	t.Helper()
	length := 10 * time.Second
	if soak(t) > 0 {
		length = away
	}
	end := time.Now().Add(length)
	for time.Now().Before(end) {
		awaitMore(t, s.groups, 60)
		s.checkWhole(t, s.groups.all()...)
	}
	for name, n := range s.nodes {
		if n.holds(t) {
			t.Errorf("%s has a lease that nobody can have given it", name)
		}
	}
}

// checkRefused holds that a new publisher is told why it is not taken.
func (s *stage) checkRefused(t *testing.T, by *node) {
	t.Helper()
	_, err := publishOn(t, s.studio.dial(t, by.rtmp), "late")
	if err == nil || !strings.Contains(err.Error(), "etcd") {
		t.Errorf("a publisher whom nobody can register is told %v", err)
	}
}

// revive starts the members of etcd again and waits until all nodes are members as before.
func (s *stage) revive(t *testing.T) {
	t.Helper()
	began := time.Now()
	for _, e := range s.etcd.members {
		e.begin(t)
	}
	for _, e := range s.etcd.members {
		e.awaitReady(t)
	}
	ready := time.Now()
	await(t, "all nodes have their leases again", func() bool {
		return !slices.ContainsFunc(slices.Collect(maps.Values(s.nodes)), func(n *node) bool {
			return !n.holds(t)
		})
	})
	t.Logf("etcd took %v to start, the nodes %v more to have their leases", ready.Sub(began),
		time.Since(ready))
	await(t, "all are registered with what they carry", func() bool {
		return len(s.etcd.members[0].nodes(t)) == len(s.nodes) &&
			len(s.etcd.members[0].records(t, "broadcasts")) == 4 // two keys, two origins
	})
}

// version is that of the settings that etcd has of a key, 0 if it has none.
func (m *member) version(t *testing.T, key string) uint64 {
	t.Helper()
	var kept struct{ Version uint64 }
	for at, text := range m.records(t, "settings") {
		if strings.HasSuffix(at, key) {
			if err := json.Unmarshal(text, &kept); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kept.Version
}

// epoch is the highest that a node knows of film.
func (n *node) epoch(t *testing.T) (epoch int) {
	t.Helper()
	for _, b := range n.broadcasts(t) {
		if b.Key == "live/film" {
			epoch = max(epoch, b.Epoch)
		}
	}
	return epoch
}

// takeOver has the source go to another origin while the former one lives, which costs nothing, and
// holds that the epoch is a higher one.
func (s *stage) takeOver(t *testing.T, m *masked, to string) {
	t.Helper()
	before := s.edges[0].epoch(t)
	s.move(t, to)
	m.publisher.halt()
	m.publisher.conn.Close()
	m.publish(t)
	awaitMore(t, s.groups, 150)
	m.goOn(t, 500)
	await(t, "the epoch is a higher one", func() bool { return s.edges[0].epoch(t) > before })
}

// TestEtcdAway kills all of etcd and brings it back on its data: viewers lose nothing, new
// publishers are told why they are refused, what is commanded meanwhile is done, and kept.
func TestEtcdAway(t *testing.T) {
	t.Parallel()
	s, m := startWithoutEtcd(t)
	a := m.hide(t, s.edges[1])
	t.Logf("blurred without etcd: %v", a)
	s.leaveAlone(t)
	s.checkRefused(t, s.nodes["o-2"])
	s.revive(t)
	await(t, "what was commanded meanwhile is kept", func() bool {
		return s.etcd.members[0].version(t, "masked") == a.Version
	})
	await(t, "a new publisher is taken", func() bool {
		_, err := publishOn(t, s.studio.dial(t, s.nodes["o-2"].rtmp), "late")
		return err == nil
	})
	s.takeOver(t, m, "o-2")
	s.settle(t)
	s.checkWhole(t, s.groups.all()...)
	m.check(t, 100)
	s.checkNobodyClosed(t)
}

// TestEtcdDataLost kills all of etcd and brings another one, which knows nothing: who is there
// registers again, with what is carried and what was commanded, epochs go on rising.
func TestEtcdDataLost(t *testing.T) {
	t.Parallel()
	s := startStage(t, casting{etcds: 3, origins: 2, edges: 2, viewers: 10, units: film.get(t)})
	m := s.mask(t)
	a := m.hide(t, s.edges[1])
	one := s.etcd.members[0]
	await(t, "the settings are kept", func() bool { return one.version(t, "masked") == a.Version })
	for _, e := range s.etcd.members {
		e.process.kill(t)
		e.lose(t)
	}
	s.revive(t)
	await(t, "the settings are kept by the other etcd", func() bool {
		return one.version(t, "masked") == a.Version
	})
	s.takeOver(t, m, "o-2")
	s.settle(t)
	s.checkWhole(t, s.groups.all()...)
	m.check(t, 50)
	s.checkNobodyClosed(t)
}

// lose has a member that is not running begin without its data.
func (m *member) lose(t *testing.T) {
	t.Helper()
	at := slices.Index(m.args, "-dir")
	if at < 0 {
		t.Fatal(fmt.Errorf("%v has no -dir", m.args))
	}
	m.args[at+1] = t.TempDir()
}
