package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// placed is what a node answers to who asks where to publish and watch.
type placed struct {
	Publish *struct{ Node, URL string }
	Reason  string
	Watch   []struct {
		Node, FLV string
		Weight    int
	}
}

// place asks a node where a key is published and watched.
func (n *node) place(key string) (p placed, err error) {
	response, err := n.client.Get("http://" + n.http + "/v1/placement?key=live/" + key)
	if err != nil {
		return p, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return p, fmt.Errorf("/v1/placement: %s", response.Status)
	}
	return p, json.NewDecoder(response.Body).Decode(&p)
}

// nomad publishes a source wherever the cluster wants it. Once a node asks it to go it prepares a
// connection there, and changes over at the next keyframe: it ends the former stream, waits until
// that node has said that it has all of it, and goes on with the keyframe at the other.
type nomad struct {
	t       *testing.T
	key     string
	source  *source
	ask     *node // about placement
	now     *publisher
	moves   int
	unasked int // ends of a connection that nobody has announced
}

// roam publishes a source as a nomad does.
func roam(t *testing.T, s *source, ask *node, key string) *nomad {
	t.Helper()
	n := &nomad{t: t, key: key, source: s, ask: ask}
	n.connect(n.address(""))
	s.turn = n.turn
	s.run(t)
	return n
}

// address is where to publish: where a node says, or where the cluster does.
func (n *nomad) address(told string) string {
	if told == "" {
		p, err := n.ask.place(n.key)
		if err != nil || p.Publish == nil {
			n.t.Errorf("nobody takes %s: %v %s", n.key, err, p.Reason)
			return ""
		}
		told = p.Publish.URL
	}
	u, err := url.Parse(told)
	if err != nil {
		n.t.Error(err)
		return ""
	}
	return u.Host
}

func (n *nomad) connect(address string) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		n.t.Errorf("publish %s: %v", n.key, err)
		return
	}
	p, err := publishOn(n.t, conn, n.key)
	if err != nil {
		n.t.Errorf("publish %s to %s: %v", n.key, address, err)
		return
	}
	n.t.Cleanup(func() { conn.Close() })
	n.source.mu.Lock()
	defer n.source.mu.Unlock()
	n.source.publishers[p] = true
	n.now = p
}

// turn is called by the source before each unit.
func (n *nomad) turn(u unit) {
	if n.now == nil || !u.picture() {
		return
	}
	to := ""
	select {
	case to = <-n.now.moved:
	default:
		if !over(n.now.ended) {
			return
		}
		n.unasked++
	}
	n.moves++
	at, _ := n.source.ledger.last()
	n.t.Logf("%s: the publisher goes on at %s behind %d ms", n.key, to, at.ms)
	n.source.mu.Lock()
	delete(n.source.publishers, n.now)
	n.source.mu.Unlock()
	if tcp, ok := n.now.conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	select {
	case <-n.now.ended:
	case <-time.After(patience):
		n.t.Errorf("%s: the former node does not let go", n.key)
	}
	n.now.conn.Close()
	n.connect(n.address(to))
}

// wanderer is a viewer by HTTP-FLV who, whenever he is let go, connects to where the cluster says.
type wanderer struct {
	name  string
	key   string
	ask   *node
	left  chan struct{}
	ended chan struct{}

	mu       sync.Mutex
	sessions []*sojourn
	refused  int
}

// sojourn is one connection of a wanderer.
type sojourn struct {
	*light
	node       string
	begin, end time.Time
}

// wander has so many viewers watch, wherever the cluster says.
func wander(t *testing.T, ask *node, key string, size int) []*wanderer {
	t.Helper()
	var all []*wanderer
	for i := range size {
		w := &wanderer{
			name: fmt.Sprintf("viewer %d of %s", i+1, key), key: key, ask: ask,
			left: make(chan struct{}), ended: make(chan struct{}),
		}
		t.Cleanup(w.leave)
		go w.run()
		all = append(all, w)
	}
	return all
}

func (w *wanderer) run() {
	defer close(w.ended)
	for !over(w.left) {
		if !w.stay() {
			w.refused++
			select {
			case <-w.left:
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// stay watches on one node until that lets go, and reports whether it was taken.
func (w *wanderer) stay() bool {
	p, err := w.ask.place(w.key)
	if err != nil || len(p.Watch) == 0 {
		return false
	}
	sum := 0
	for _, at := range p.Watch {
		sum += at.Weight
	}
	at, draw := 0, rand.N(max(1, sum))
	for at < len(p.Watch)-1 && draw >= p.Watch[at].Weight {
		draw -= p.Watch[at].Weight
		at++
	}
	u, err := url.Parse(p.Watch[at].FLV)
	if err != nil {
		return false
	}
	conn, err := net.DialTimeout("tcp", u.Host, patience)
	if err != nil {
		return false
	}
	s := &sojourn{
		light: &light{name: w.name, conn: conn, ended: make(chan struct{})},
		node:  p.Watch[at].Node, begin: time.Now(),
	}
	w.mu.Lock()
	w.sessions = append(w.sessions, s)
	w.mu.Unlock()
	s.err = s.play(w.key)
	conn.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	s.end = time.Now()
	if len(s.got) == 0 { // refused
		w.sessions = w.sessions[:len(w.sessions)-1]
	}
	close(s.ended)
	return len(s.got) > 0
}

// current is the connection that a wanderer has, nil if none.
func (w *wanderer) current() *sojourn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sessions) == 0 {
		return nil
	}
	return w.sessions[len(w.sessions)-1]
}

// leave ends a wanderer's watching.
func (w *wanderer) leave() {
	if !over(w.left) {
		close(w.left)
	}
	if s := w.current(); s != nil {
		s.conn.Close()
	}
	<-w.ended
}

// journey is what became of a broadcast on its way to a viewer with several connections. Each
// connection is audited by itself: what was sent between the first and the last unit that it
// brought and did not come is lost. Between two connections, again are the units that the second
// brings once more, as it begins at a keyframe, and away those that were sent behind the last of
// the first and before the first of the second: the viewer was not connected.
type journey struct {
	audit
	sessions, again, away int
	moved                 int // units that came twice with different times
	gone                  time.Duration
	missing               []string
}

// missing are the units that a viewer should have received.
func (l *ledger) missing(got []entry) (all []entry) {
	seen, first, last := map[int]bool{}, len(l.sent), -1
	for _, e := range got {
		if at, known := l.at[e.sum]; known {
			seen[at], first, last = true, min(first, at), max(last, at)
		}
	}
	for i := first; i <= last; i++ {
		if !seen[i] {
			all = append(all, l.sent[i])
		}
	}
	return all
}

func (l *ledger) journey(w *wanderer) (j journey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, times := -1, map[uint64]int64{}
	missing := map[string]bool{}
	defer func() { j.missing = slices.Sorted(maps.Keys(missing)) }()
	for _, s := range w.sessions {
		got := s.entries()
		a := l.audit(got)
		a.viewers = 0
		for _, e := range l.missing(got) {
			missing[fmt.Sprintf("%v at %d ms", e.kind, e.ms)] = true
		}
		j.audit = j.audit.and(a)
		j.sessions++
		first, end := len(l.sent), -1
		for _, e := range got {
			if at, known := l.at[e.sum]; known {
				first, end = min(first, at), max(end, at)
			}
			if ms, twice := times[e.sum]; twice && ms != e.ms {
				j.moved++
			}
			times[e.sum] = e.ms
		}
		switch {
		case last < 0:
		case first <= last:
			j.again += last - first + 1
		default:
			j.away += first - last - 1
		}
		last = max(last, end)
	}
	j.viewers = 1
	for i := 1; i < len(w.sessions); i++ {
		j.gone = max(j.gone, w.sessions[i].begin.Sub(w.sessions[i-1].end))
	}
	return j
}
