package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// network is a network namespace with an interface of its own to where the tests are.
type network struct {
	name         string
	outer        string // the interface on this side
	here, inside string // addresses
}

// newNetwork makes one. number tells it from others of the same process.
func newNetwork(t *testing.T, number int) *network {
	t.Helper()
	id := fmt.Sprintf("hw%d-%d", os.Getpid(), number)
	net := fmt.Sprintf("10.%d.%d.", 200+number, os.Getpid()%250)
	n := &network{name: id, outer: id + "a", here: net + "1", inside: net + "2"}
	asRoot(t, "ip", "netns", "add", n.name)
	t.Cleanup(func() { asRoot(t, "ip", "netns", "delete", n.name) })
	asRoot(t, "ip", "link", "add", "dev", n.outer, "type", "veth",
		"peer", "name", id+"b", "netns", n.name)
	asRoot(t, "ip", "address", "add", n.here+"/24", "dev", n.outer)
	asRoot(t, "ip", "link", "set", "dev", n.outer, "up")
	asRoot(t, "ip", "-n", n.name, "address", "add", n.inside+"/24", "dev", id+"b")
	asRoot(t, "ip", "-n", n.name, "link", "set", "dev", id+"b", "up")
	asRoot(t, "ip", "-n", n.name, "link", "set", "dev", "lo", "up")
	return n
}

// slow has what goes inside go at a rate, in bits a second.
func (n *network) slow(t *testing.T, rate int) {
	t.Helper()
	asRoot(t, "tc", "qdisc", "replace", "dev", n.outer, "root", "tbf",
		"rate", fmt.Sprint(rate, "bit"), "burst", "16kb", "latency", "400ms")
}

func asRoot(t *testing.T, args ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		args = append([]string{"sudo", "-n"}, args...)
	}
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// TestSlowLink has an edge whose interface carries a tenth of a broadcast: it leaves out whole
// GOPs, and an edge beside it has all of the broadcast in time.
func TestSlowLink(t *testing.T) {
	t.Parallel()
	units := heavy.get(t)
	size := 0
	for _, u := range units {
		size += len(u.body)
	}
	across := newNetwork(t, 1)
	o := startOrigin(t, "o-1", "--link.listen", across.here+":0")
	fast := startEdge(t, "e-1", "o-1="+o.links(t))
	slow := launchNodeBy(t, []string{"ip", "netns", "exec", across.name}, nil,
		"--node.name", "e-2", "--link.origins", "o-1="+o.links(t),
		"--rtmp.listen", across.inside+":0", "--http.listen", across.inside+":0")
	slow.mustEndWell(t)
	slow.awaitLinks(t, "edge", 1)
	fast.awaitLinks(t, "edge", 1)
	across.slow(t, size*8/30/10)
	behind, beside := watchFLV(t, slow, "show"), watchBoth(t, fast, "show")
	p := publish(t, o, "show")
	p.feed(t, units)
	awaitFor(t, 2*patience, "most of it is published", func() bool {
		return len(beside[0].got()) > len(units)*4/5
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
