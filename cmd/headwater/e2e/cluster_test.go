package e2e

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// cluster is some origins and edges, each edge following each origin.
type cluster struct{ origins, edges []*node }

// startCluster starts nodes, and waits until each edge has its links.
func startCluster(t *testing.T, origins, edges int, flags ...string) *cluster {
	t.Helper()
	c := &cluster{}
	var names []string
	for i := range origins {
		o := startOrigin(t, fmt.Sprint("o-", i+1), flags...)
		c.origins = append(c.origins, o)
		names = append(names, fmt.Sprintf("o-%d=%s", i+1, o.links(t)))
	}
	for i := range edges {
		e := startEdge(t, fmt.Sprint("e-", i+1), strings.Join(names, ","), flags...)
		c.edges = append(c.edges, e)
		e.awaitLinks(t, "edge", origins)
	}
	return c
}

func startOrigin(t *testing.T, name string, flags ...string) *node {
	t.Helper()
	n := launchNode(t, append([]string{
		"--node.name", name, "--link.listen", "127.0.0.1:0",
	}, flags...)...)
	n.mustEndWell(t)
	return n
}

func startEdge(t *testing.T, name, origins string, flags ...string) *node {
	t.Helper()
	n := launchNode(t, append([]string{
		"--node.name", name, "--link.origins", origins,
	}, flags...)...)
	n.mustEndWell(t)
	return n
}

// links is where a node takes links.
func (n *node) links(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(n.stdout.String()) {
		if address, ok := strings.CutPrefix(strings.TrimSpace(line), "links"); ok {
			return strings.TrimSpace(address)
		}
	}
	t.Fatal("the node does not say where it takes links")
	return ""
}

func (n *node) awaitLinks(t *testing.T, side string, want int) {
	t.Helper()
	await(t, fmt.Sprintf("%d links are up", want), func() bool {
		return n.metric(t, "headwater_links", `side="`+side+`"`) == float64(want)
	})
}

// watchers are two viewers on each edge, one by each protocol.
func (c *cluster) watchers(t *testing.T, key string) []*viewer {
	t.Helper()
	var all []*viewer
	for _, e := range c.edges {
		all = append(all, watchBoth(t, e, key)...)
	}
	return all
}

// TestEdges has viewers on two edges before and after a broadcast begins on one of two origins:
// each gets what was published, byte for byte.
func TestEdges(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2, 2)
	early := c.watchers(t, "film")
	p := publish(t, c.origins[1], "film")
	p.feed(t, film.get(t))
	early[0].awaitUnits(t, 200)
	all := append(early, c.watchers(t, "film")...)
	all = append(all, watchBoth(t, c.origins[1], "film")...)
	for _, v := range all {
		v.awaitUnits(t, 300)
	}
	settle(t, p, all...)
	for _, v := range all {
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
	for _, e := range c.edges {
		if e.metric(t, "headwater_topic_gaps_total") != 0 ||
			e.metric(t, "headwater_link_skips_total") != 0 {
			t.Error("something was skipped or lost")
		}
	}
	for _, v := range all {
		v.leave(t)
	}
}

// TestEdgeFollowsThePublisher kills the origin that has the broadcast, again and again; the
// publisher goes to the other. No viewer notices more than a keyframe.
func TestEdgeFollowsThePublisher(t *testing.T) {
	t.Parallel()
	addresses := []string{freeAddress(t), freeAddress(t)}
	origin := func(i int) *node {
		n := launchNode(t, "--node.name", fmt.Sprint("o-", i+1), "--link.listen", addresses[i])
		return n
	}
	origins := []*node{origin(0), origin(1)}
	c := &cluster{origins: origins}
	for i := range 2 {
		c.edges = append(c.edges, startEdge(t, fmt.Sprint("e-", i+1),
			"o-1="+addresses[0]+",o-2="+addresses[1]))
	}
	viewers := c.watchers(t, "show")
	encoder := encode(t, origins[0].rtmpURL("show"))
	for moves := 1; moves <= 4; moves++ {
		awaitShown(t, viewers, moves)
		now := (moves - 1) % 2
		origins[now].kill(t)
		encoder.kill(t)
		encoder = encode(t, origins[1-now].rtmpURL("show"))
		origins[now] = origin(now)
	}
	awaitShown(t, viewers, 5)
	checkUndisturbed(t, c, viewers)
	for _, o := range origins {
		o.stop(t)
	}
}

// checkUndisturbed holds that no viewer was let go, and that each has one stream that decodes.
func checkUndisturbed(t *testing.T, c *cluster, viewers []*viewer) {
	t.Helper()
	for _, v := range viewers {
		v.mustWatch(t)
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
	for _, e := range c.edges {
		if n := e.metric(t, "headwater_viewer_closes_total"); n != 0 {
			t.Errorf("%v viewers were closed", n)
		}
	}
}

// freeAddress is an address that nobody listens on, for a node that has to come back to it.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestOriginFallsSilent stops an origin's process for a while: edges notice within seconds, the
// publisher goes elsewhere, and what the origin says once it wakes is refused.
func TestOriginFallsSilent(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 2, 1)
	viewers := c.watchers(t, "show")
	old := publish(t, c.origins[0], "show")
	old.feed(t, film.get(t))
	awaitShown(t, viewers, 1)
	c.origins[0].signal(t, syscall.SIGSTOP)
	began := time.Now()
	await(t, "the silence is noticed", func() bool {
		return c.edges[0].metric(t, "headwater_link_ends_total", `side="edge"`,
			`reason="silent"`) == 1
	})
	if took := time.Since(began); took < 2*time.Second || took > 6*time.Second {
		t.Errorf("it took %v", took)
	}
	next := publish(t, c.origins[1], "show")
	next.feed(t, film.get(t))
	awaitShown(t, viewers, 2)
	c.origins[0].signal(t, syscall.SIGCONT)
	c.edges[0].awaitLinks(t, "edge", 2)
	old.halt()
	seen := len(viewers[0].got())
	await(t, "the viewers have gone on", func() bool { return len(viewers[0].got()) > seen+150 })
	next.halt()
	checkUndisturbed(t, c, viewers)
	for _, v := range viewers {
		got := v.got()
		from := len(got) - 1
		for !videoHeader(got[from]) {
			from--
		}
		for from > 0 && got[from-1].header() {
			from--
		}
		if n := checkLedger(t, v.name, next.ledger(), got[from:]); n < 100 {
			t.Errorf("%s: only %d units of the second publisher", v.name, n)
		}
	}
}

// proxy carries a link, and can hold it or cut it.
type proxy struct {
	address string
	mu      sync.Mutex
	cond    *sync.Cond
	held    bool
	conns   []net.Conn
}

// startProxy carries connections to an address.
func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String()}
	p.cond = sync.NewCond(&p.mu)
	t.Cleanup(func() {
		l.Close()
		p.hold(false)
		p.cut()
	})
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, near, far)
			p.mu.Unlock()
			go p.carry(near, far)
			go p.carry(far, near)
		}
	}()
	return p
}

func (p *proxy) carry(from, to net.Conn) {
	defer to.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		for p.held {
			p.cond.Wait()
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) hold(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = held
	p.cond.Broadcast()
}

// cut ends all connections; new ones are carried.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// TestLinkComesBack cuts and holds the link under a broadcast: it goes on where it was, and nothing
// of it is lost.
func TestLinkComesBack(t *testing.T) {
	t.Parallel()
	o := startOrigin(t, "o-1")
	wire := startProxy(t, o.links(t))
	// What comes in a burst after a silence of three seconds is not to be skipped by the viewers.
	e := startEdge(t, "e-1", "o-1="+wire.address, "--viewer.max-behind", "7s")
	e.awaitLinks(t, "edge", 1)
	viewers := watchBoth(t, e, "film")
	p := publish(t, o, "film")
	p.feed(t, film.get(t))
	for i := range 6 {
		viewers[0].awaitUnits(t, 150*(i+1))
		if i%3 == 2 { // a silence: both ends find out
			wire.hold(true)
			await(t, "the silence is noticed", func() bool {
				return e.metric(t, "headwater_links", `side="edge"`) == 0
			})
			wire.cut()
			wire.hold(false)
			continue
		}
		wire.cut()
	}
	settle(t, p, viewers...)
	for _, v := range viewers {
		checkRising(t, v.name, v.got())
		checkDecodes(t, v.name, v.got())
	}
	if n := e.metric(t, "headwater_topic_gaps_total"); n != 0 {
		t.Errorf("%v gaps", n)
	}
}

// TestBlurAtTheEdge commands blurs at the origin: what viewers of edges see is blurred from the PTS
// of the answer on, and whoever joins then sees nothing from before.
func TestBlurAtTheEdge(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 1, 2)
	s := &landscape
	s.get(t)
	viewers := c.watchers(t, "show")
	s.publish(t, c.origins[0].rtmpURL("show"))
	steps := commandAll(t, c.origins[0], s.marker.rect, viewers)
	a := c.origins[0].blur(t, "show", "solid", s.marker.rect).mustState(t, "live")
	steps = append(steps, step{"solid", a.PTS})
	late := c.watchers(t, "show")
	for _, v := range late {
		v.awaitUnits(t, 60)
	}
	awaitPTS(t, viewers, a.PTS+1500)
	checkBlurred(t, s, viewers, s.units(t), steps)
	for _, v := range late {
		checkSealed(t, s, v, a.PTS)
	}
}

// checkSealed holds that whoever joined behind a blur sees no picture from before, and none without
// it.
func checkSealed(t *testing.T, s *shot, v *viewer, from int64) {
	t.Helper()
	for _, u := range v.got() {
		info, err := u.info()
		picture := err == nil && u.kind == media.Video && !u.header()
		if pts := u.ms + info.CTS.Millis(); picture && pts < from {
			t.Errorf("%s: joined late and sees %d ms, blurred from %d on", v.name, pts, from)
			return
		}
	}
	if _, greatest := extremes(s.marker.read(t, v.name, v.got())); greatest > unreadable {
		t.Errorf("%s: joined late, and the marker is readable: %.1f", v.name, greatest)
	}
}

// TestLinkTLS has links with certificates of one authority, and one of another, which is refused.
func TestLinkTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := authority(t), authority(t)
	o := startOrigin(t, "o-1", ours.flags(t)...)
	e := startEdge(t, "e-1", "o-1="+o.links(t), ours.flags(t)...)
	e.awaitLinks(t, "edge", 1)
	viewers := watchBoth(t, e, "film")
	p := publish(t, o, "film")
	p.feed(t, film.get(t))
	viewers[0].awaitUnits(t, 200)
	for name, flags := range map[string][]string{
		"another authority": theirs.flags(t),
		"plain":             nil,
		"no certificate":    slices.Concat(theirs.flags(t)[:4], []string{"--link.tls-ca", ours.ca}),
	} {
		stranger := startEdge(t, "x-1", "o-1="+o.links(t), flags...)
		await(t, name+": it is refused", func() bool {
			return stranger.metric(t, "headwater_link_ends_total", `side="edge"`) > 0
		})
		if stranger.metric(t, "headwater_links") != 0 {
			t.Errorf("%s: has a link", name)
		}
	}
	settle(t, p, viewers...)
	if n := o.metric(t, "headwater_links", `side="origin"`); n != 1 {
		t.Errorf("the origin has %v links", n)
	}
}

// TestLinkGarbage has whoever likes say whatever he likes where links are taken.
func TestLinkGarbage(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 1, 1)
	hello := func(version byte) []byte {
		return []byte{0, 0, 0, 8, 1, 'H', 'W', 'L', 'K', version, 'x', '1'}
	}
	for name, said := range map[string]struct {
		bytes []byte
		hears string
	}{
		"HTTP":             {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ""},
		"another version":  {hello(2), "speaks version 1 of the link protocol, the other 2"},
		"garbage after it": {append(hello(1), "\x00\x00\x00\x01\x63"...), ""},
		"a huge unit":      {append(hello(1), 255, 255, 255, 255, 5), ""},
	} {
		conn := dial(t, c.origins[0].links(t))
		if _, err := conn.Write(said.bytes); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%s: the connection is not closed", name)
		}
		if !strings.Contains(string(answer), said.hears) {
			t.Errorf("%s: hears %q", name, answer)
		}
	}
	c.edges[0].awaitLinks(t, "edge", 1)
	c.origins[0].awaitLinks(t, "origin", 1)
}
