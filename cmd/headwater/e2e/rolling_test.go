package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// shift is the time in which a node was drained.
type shift struct {
	node       string
	begin, end time.Time
}

// restart drains a node, has it end by itself, and starts it again.
func (m *members) restart(t *testing.T, n *node, name, roles string) (*node, shift) {
	t.Helper()
	s := shift{node: name, begin: time.Now()}
	out := m.keeper.cli(t, "drain", name, "--move", "--stop", "--wait")
	if out != name+" has ended\n" {
		t.Errorf("drain prints %q", out)
	}
	ends(t, name, n.ended)
	s.end = time.Now()
	if n.exitCode() != 0 {
		t.Errorf("%s ends with %d", name, n.exitCode())
	}
	t.Logf("%s is drained and has ended after %v", name, s.end.Sub(s.begin))
	return m.join(t, name, roles), s
}

// fed counts the links by which edges feed others.
func (m *members) fed(t *testing.T) (links float64) {
	t.Helper()
	for _, n := range append([]*node{m.keeper}, m.edges...) {
		links += n.metric(t, "headwater_links", `side="origin"`)
	}
	return links
}

// epochs watches the epochs of broadcasts: none may fall.
func (n *node) epochs(t *testing.T) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		highest := map[string]uint64{}
		for !over(done) {
			for key, epoch := range n.active() {
				if epoch < highest[key] {
					t.Errorf("the epoch of %s falls from %d to %d", key, highest[key], epoch)
				}
				highest[key] = max(highest[key], epoch)
			}
			select {
			case <-done:
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return sync.OnceFunc(func() { close(done); <-ended })
}

// active is the highest epoch of each broadcast that a node knows an active node of.
func (n *node) active() map[string]uint64 {
	out := map[string]uint64{}
	response, err := n.client.Get("http://" + n.http + "/v1/broadcasts")
	if err != nil {
		return out
	}
	defer response.Body.Close()
	var answer struct {
		Broadcasts []struct {
			Key, Role string
			Epoch     uint64
		}
	}
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		return out
	}
	for _, b := range answer.Broadcasts {
		if b.Role == "active" {
			out[b.Key] = max(out[b.Key], b.Epoch)
		}
	}
	return out
}

// TestRollingRestart drains, stops and starts again every node of a cluster but the one that has
// its etcd, edges that follow edges among them, under a hundred viewers and two publishers, who go
// where they are told. Nothing is lost, nobody is let go who was not told, and a blur holds.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	film.get(t)
	small.get(t)
	m := formCluster(t, 2, 2, "--edge.fanout", "1")
	stopEpochs := m.keeper.epochs(t)
	defer stopEpochs()
	s, hidden := newSource(t, film.get(t)), newSource(t, small.long(t, 60))
	publisher, other := roam(t, s, m.keeper, "film"), roam(t, hidden, m.keeper, "hidden")
	crowd := wander(t, m.keeper, "film", 100)
	watcher := watchFLV(t, m.keeper, "hidden")
	watcher.awaitUnits(t, 20)
	command := m.keeper.blur(t, "hidden", "solid", small.marker.rect).mustState(t, "live")
	for _, w := range crowd {
		await(t, w.name+" has something", func() bool {
			now := w.current()
			return now != nil && len(now.entries()) > 30
		})
	}
	if fed := m.fed(t); fed == 0 {
		t.Error("no edge feeds another")
	}
	var shifts []shift
	for i, n := range m.edges {
		var on shift
		m.edges[i], on = m.restart(t, n, fmt.Sprint("e-", i+1), "edge")
		shifts = append(shifts, on)
		m.awaitMembers(t, 5)
	}
	for i, n := range m.origins {
		var on shift
		m.origins[i], on = m.restart(t, n, fmt.Sprint("o-", i+1), "origin")
		shifts = append(shifts, on)
		m.awaitMembers(t, 5)
	}
	s.halt()
	hidden.halt()
	stopEpochs()
	for _, w := range crowd {
		s.ledger.awaitEnd(t, w.current().light)
		w.leave()
	}
	checkJourneys(t, s.ledger, crowd, shifts)
	if publisher.unasked+other.unasked > 0 || publisher.moves == 0 || other.moves == 0 {
		t.Errorf("publishers have moved %d and %d times, unasked %d and %d", publisher.moves,
			other.moves, publisher.unasked, other.unasked)
	}
	watcher.mustWatch(t)
	checkRising(t, watcher.name, watcher.got())
	shown := between(small.marker.read(t, watcher.name, watcher.got()), command.PTS, 1<<60)
	if _, greatest := extremes(shown); greatest > unreadable || len(shown) < 200 {
		t.Errorf("of %d pictures since the blur, the marker is readable: %.1f", len(shown), greatest)
	}
	for _, n := range m.all() {
		status, text := n.get(t, "/v1/broadcasts/live/hidden/settings")
		if status != http.StatusOK || !strings.Contains(text, `"blur":{"off":false,"mode":"solid"`) {
			t.Errorf("settings: %d %s", status, text)
		}
	}
}

// checkJourneys holds that viewers have lost nothing while they were connected, and were let go by
// nodes that drained and no others.
func checkJourneys(t *testing.T, l *ledger, crowd []*wanderer, shifts []shift) {
	t.Helper()
	var sum journey
	refused, told := 0, 0
	for _, w := range crowd {
		j := l.journey(w)
		sum.audit = sum.audit.and(j.audit)
		sum.sessions, sum.again, sum.away = sum.sessions+j.sessions, sum.again+j.again, sum.away+j.away
		sum.moved, sum.gone = sum.moved+j.moved, max(sum.gone, j.gone)
		refused += w.refused
		if len(j.missing) > 0 {
			t.Logf("%s misses %v", w.name, j.missing)
		}
		for _, s := range w.sessions[:len(w.sessions)-1] {
			if !shifted(shifts, s) {
				t.Errorf("%s is let go by %s, which does not drain: %v", w.name, s.node, s.err)
			}
			told++
		}
	}
	t.Logf("%d viewers had %d connections and %d units: lost %d, twice %d, reordered %d, strange %d, "+
		"torn %d, times that fall %d; between connections: seen again %d, away %d, longest %v; told to "+
		"go %d, refused and tried again %d", sum.viewers, sum.sessions, sum.units, sum.lost,
		sum.duplicated, sum.reordered, sum.strange, sum.torn, sum.falls, sum.again, sum.away, sum.gone,
		told, refused)
	if !sum.clean() || sum.moved > 0 {
		t.Errorf("something was lost, or has other times now: %d", sum.moved)
	}
}

// shifted tells whether a connection ended while its node drained.
func shifted(shifts []shift, s *sojourn) bool {
	for _, on := range shifts {
		if on.node == s.node && s.end.After(on.begin) && s.end.Before(on.end.Add(time.Second)) {
			return true
		}
	}
	return false
}

// TestMembersMove empties an origin of an encoder that passes over the request to connect again, as
// ffmpeg does: it goes on for as long as it may, is let go with a reason, and viewers stay.
func TestMembersMove(t *testing.T) {
	t.Parallel()
	m := formCluster(t, 2, 2)
	viewers := m.watchers(t, "show")
	encoder := encode(t, m.origins[0].rtmpURL("show"))
	awaitShown(t, viewers, 1)
	began := time.Now()
	got := m.keeper.cli(t, "drain", "o-1", "--move")
	if !strings.HasPrefix(got, "o-1 is draining; broadcasts left: 1, viewers: 0") {
		t.Errorf("drain prints %q", got)
	}
	ends(t, "the encoder", encoder.ended)
	if took := time.Since(began); took < 4*time.Second || took > 15*time.Second {
		t.Errorf("the encoder is let go after %v", took)
	}
	t.Logf("after %v the encoder says:\n%s", time.Since(began), last(encoder.stderr.String()))
	const reason = "the node is draining; go to rtmp://"
	if !encoder.stderr.has(reason + m.origins[1].rtmp + "/live/show") {
		t.Error("the encoder is not told where to go")
	}
	encode(t, m.origins[1].rtmpURL("show"))
	awaitShown(t, viewers, 2)
	if got := m.keeper.cli(t, "drain", "o-1", "--wait"); got != "o-1 is empty\n" {
		t.Errorf("drain --wait prints %q", got)
	}
	checkUndisturbed(t, m.cluster, viewers)
}
