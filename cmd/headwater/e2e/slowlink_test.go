package e2e

import "testing"

// TestSlowLink has an edge whose interface carries a tenth of a broadcast: it leaves out whole
// GOPs, and an edge beside it has all of the broadcast in time.
func TestSlowLink(t *testing.T) {
	t.Parallel()
	units := heavy.get(t)
	size := 0
	for _, u := range units {
		size += len(u.body)
	}
	l := newLab(t)
	o := l.host(t, "o-1").origin(t)
	fast := l.host(t, "e-1").edge(t, []*node{o})
	slow := l.host(t, "e-2").edge(t, []*node{o})
	l.slow(t, slow.host, size*8/30/10)
	behind, beside := watchFLV(t, slow, "show"), watchBoth(t, fast, "show")
	p := publish(t, o, "show")
	p.feed(t, units)
	awaitFor(t, 2*patience, "most of it is published", func() bool {
		return len(beside[0].got()) > len(units)*3/5
	})
	settle(t, p, beside...)

	behind.mustWatch(t)
	got := behind.got()
	checkRising(t, behind.name, got)
	checkDecodes(t, behind.name, got)
	checkSkips(t, behind, p.ledger())
	skips := o.metric(t, "headwater_link_skips_total", `side="origin"`)
	t.Logf("%d units of %d, %v skips", len(got), len(units), skips)
	if skips == 0 || len(got) < len(units)/40 || len(got) > len(units)/4 {
		t.Errorf("%d units of %d arrive at the slow edge, %v skips", len(got), len(units), skips)
	}
	if n := fast.metric(t, "headwater_topic_gaps_total"); n != 0 {
		t.Errorf("the edge beside it has %v gaps", n)
	}
}
