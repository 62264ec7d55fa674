package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/membership"
)

// bench is a machine of node n with a clock of its own.
type bench struct {
	t   *testing.T
	m   *machine
	now time.Time
	rev int64
}

func newBench(t *testing.T) *bench {
	t.Helper()
	metrics, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	pid := func(id string) *actor.PID { return actor.NewPID("local", id) }
	place := actors.ClusterPlace{
		Directory: pid("directory"), Settings: pid("settings"), Out: pid("out"), Pins: pid("pins"),
		LinkTo: func(node, _ string, n int) (supervise.Spec, *actor.PID) {
			name := fmt.Sprintf("to/%s.%d", node, n)
			return supervise.Spec{Name: name}, pid("out/" + name + "/link")
		},
		Pin: func(key, rendition, who string) supervise.Spec {
			return supervise.Spec{Name: "pin/" + key + "@" + rendition + "/" + who}
		},
		Splice: func(key, rendition string) supervise.Spec {
			return supervise.Spec{Name: "splice/" + key + "@" + rendition}
		},
		Quiet: func(string, bool) {},
	}
	o := &Options{
		Node: *benchNode("n"), Keys: NewKeys("test"), Grace: 30 * time.Second, Metrics: metrics,
	}
	b := &bench{t: t, now: time.Unix(1000, 0)}
	bad := func(key string, err error) { t.Errorf("%s: %v", key, err) }
	b.m = newMachine(o, place, newMemory(), bad)
	b.m.begin(b.now)
	return b
}

func benchNode(name string) *Node {
	n := sampleNode()
	n.Name, n.ID, n.Load = name, name+"-1", Load{}
	return n
}

func (b *bench) put(below string, record any) membership.Change {
	b.rev++
	return membership.Change{Key: below, Value: encode(record), Revision: b.rev}
}

func (b *bench) gone(below string) membership.Change {
	b.rev++
	return membership.Change{Key: below, Deleted: true, Revision: b.rev}
}

func (b *bench) apply(changes ...membership.Change) { b.m.apply(changes, true, true, b.now) }

// pass lets time go by, as ticks.
func (b *bench) pass(d time.Duration) {
	for end := b.now.Add(d); b.now.Before(end); {
		b.now = b.now.Add(tickEvery)
		b.m.tick(b.now)
	}
}

// said is what the machine has sent since, as words.
func (b *bench) said() []string {
	var words []string
	for _, o := range b.m.out.Take() {
		switch msg := o.Msg.(type) {
		case *supervise.StartChild:
			words = append(words, "start "+msg.Spec.Name)
		case *supervise.StopChild:
			words = append(words, "stop "+msg.Name)
		case *local.Places:
			var nodes []string
			for _, p := range msg.Places {
				nodes = append(nodes, p.Node)
			}
			words = append(words, "places "+msg.Key+"="+strings.Join(nodes, "+"))
		case *local.Outdated:
			words = append(words, fmt.Sprintf("outdated %s %d %s", msg.Key, msg.Epoch, msg.Node))
		case *local.Unreserved:
			words = append(words, "no: "+msg.Reason)
		}
	}
	return words
}

func (b *bench) says(what string, want ...string) {
	b.t.Helper()
	if got := b.said(); !slices.Equal(got, want) {
		b.t.Errorf("%s: said %q, not %q", what, got, want)
	}
}

func (b *bench) up(child string) { b.m.childUp(actor.NewPID("local", "node/x/"+child), b.now) }

// registered is what is registered of a key here: its role and epoch, or "".
func (b *bench) registered(key string) string {
	value, ok := b.m.written[b.m.keys.Broadcast(key, "n")]
	if !ok {
		return ""
	}
	r, err := decodeBroadcast(key, "n", []byte(value))
	if err != nil {
		b.t.Fatal(err)
	}
	return fmt.Sprintf("%s %d %s", r.Role, r.Epoch, r.Standby)
}

func active(node string, epoch uint64, standby string) *Broadcast {
	return &Broadcast{
		Key: "k", Node: node, Role: Active, Epoch: epoch, Publishing: true, Standby: standby,
	}
}

func TestLinkIsEndedWhenIdle(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "")))
	b.m.locate("k", b.now)
	b.says("locate", "start to/a.1", "places k=")
	b.up("to/a.1")
	b.says("up", "places k=a")
	b.m.forget("k", b.now)
	b.pass(20 * time.Second)
	b.m.locate("k", b.now)
	b.says("again in time", "places k=a")
	b.pass(time.Minute)
	b.says("in use")
	b.m.forget("k", b.now)
	b.pass(31 * time.Second)
	b.says("idle", "stop to/a.1")

	b.m.locate("k", b.now)
	b.says("locate", "start to/a.2", "places k=")
	b.pass(4 * time.Second)
	b.says("it does not come up", "start to/a.2")
	b.up("to/a.2")
	b.says("up", "places k=a")
	other := benchNode("a")
	other.ID = "a-2"
	b.apply(b.put("nodes/a", other))
	b.says("another process", "stop to/a.2", "start to/a.3", "places k=")
	b.up("to/a.3")
	b.says("up", "places k=a")
	b.m.rebind(linksName, b.now)
	b.says("links restart", "start to/a.3", "places k=")
	b.up("to/a.3")
	b.says("up", "places k=a")
}

func TestGhostIsLaidInTime(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "")))
	b.m.locate("k", b.now)
	b.up("to/a.1")
	b.said()
	b.apply(b.gone("nodes/a"), b.gone("broadcasts/k/a"))
	b.says("gone as a whole")
	b.pass(ghostTime - time.Second)
	b.says("a while later")
	b.pass(2 * time.Second)
	b.says("after that", "places k=")

	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "")))
	b.says("back", "places k=a")
	b.m.apply([]membership.Change{b.gone("nodes/a"), b.gone("broadcasts/k/a")}, true, false, b.now)
	b.pass(time.Hour)
	b.says("gone when this node was no member either")
	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "")))
	b.says("all are back")
	b.apply(b.gone("broadcasts/k/a"))
	b.says("taken back by a node that is there", "places k=")
}

// TestGhostThatIsHeard has units come from a node that etcd does not hear: it is followed, and
// mirrored, for as long as they do, until somebody has a later epoch.
func TestGhostThatIsHeard(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/a", benchNode("a")), b.put("nodes/c", benchNode("c")),
		b.put("broadcasts/k/a", active("a", 5, "n")))
	b.m.locate("k", b.now)
	b.up("to/a.1")
	b.up("pin/k@/standby")
	b.said()
	b.apply(b.gone("nodes/a"), b.gone("broadcasts/k/a"))
	for range 60 {
		b.pass(listenEvery)
		b.m.heard(&local.HeardAt{Key: "k", Node: "a", At: b.now})
	}
	b.says("five minutes later")
	b.m.heard(&local.HeardAt{Key: "k", Node: "a"})
	b.m.heard(&local.HeardAt{Key: "k", Node: "c", At: b.now})
	b.pass(ghostTime + time.Second)
	b.says("nothing comes any more", "stop pin/k@/standby", "places k=")

	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "c")))
	b.says("back", "places k=a")
	b.apply(b.gone("nodes/a"), b.gone("broadcasts/k/a"))
	b.pass(listenEvery)
	b.m.heard(&local.HeardAt{Key: "k", Node: "a", At: b.now})
	b.says("heard")
	b.apply(b.put("broadcasts/k/c", active("c", 6, "")))
	if got := b.said(); !slices.Contains(got, "places k=") { // with a link to c to come
		t.Errorf("superseded: said %q", got)
	}
}

func TestStandbyGoesWithItsActive(t *testing.T) {
	b := newBench(t)
	b.apply(
		b.put("nodes/a", benchNode("a")), b.put("nodes/c", benchNode("c")),
		b.put("broadcasts/k/a", active("a", 5, "n")))
	b.says("chosen", "start pin/k@/standby")
	if got := b.registered("k"); got != "" {
		t.Errorf("registered before the pin is up: %s", got)
	}
	b.up("pin/k@/standby")
	if got := b.registered("k"); got != "standby 5 " {
		t.Errorf("registered %q", got)
	}
	b.apply(b.gone("broadcasts/k/a"))
	b.pass(29 * time.Second)
	b.says("within the grace time")
	b.apply(b.put("broadcasts/k/c", active("c", 6, "n")))
	if got := b.registered("k"); got != "standby 6 " {
		t.Errorf("of the next epoch: %q", got)
	}
	b.says("of the next epoch")
	b.apply(b.put("broadcasts/k/c", active("c", 7, "")))
	b.pass(time.Second)
	b.says("not decided yet")
	b.apply(b.put("broadcasts/k/c", active("c", 7, "a")))
	b.says("another is chosen", "stop pin/k@/standby")
	if got := b.registered("k"); got != "" {
		t.Errorf("registered %q", got)
	}
	b.apply(b.put("broadcasts/k/c", active("c", 7, "n")))
	b.up("pin/k@/standby")
	b.said()
	b.m.rebind(pinsName, b.now)
	b.says("pins restart", "start pin/k@/standby")
	b.up("pin/k@/standby")
	b.m.carry(&local.Here{Key: "k", Epoch: 8, Publishing: true}, b.now)
	if got := b.said(); !slices.Contains(got, "stop pin/k@/standby") {
		t.Errorf("active here: %q", got)
	}
	if got := b.registered("k"); !strings.HasPrefix(got, "active 8 ") {
		t.Errorf("registered %q", got)
	}
}

func TestStandbyIsKept(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/n", benchNode("n")), b.put("nodes/a", benchNode("a")))
	b.m.carry(&local.Here{Key: "k", Epoch: 8, Publishing: true}, b.now)
	if got := b.registered("k"); got != "active 8 a" {
		t.Fatalf("registered %q", got)
	}
	for i := range 20 {
		b.apply(b.put(fmt.Sprintf("nodes/z%d", i), benchNode(fmt.Sprintf("z%d", i))))
	}
	if got := b.registered("k"); got != "active 8 a" {
		t.Errorf("moved to %q", got)
	}
	b.apply(b.gone("nodes/a"))
	if got := b.registered("k"); got == "active 8 a" || got == "active 8 " {
		t.Errorf("registered %q", got)
	}
}

// TestStandbyStaysWhereItIsWarm takes many keys over from a node that has died and is still thought
// to be there: who mirrors them already goes on with that.
func TestStandbyStaysWhereItIsWarm(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/n", benchNode("n")), b.put("nodes/a", benchNode("a")),
		b.put("nodes/z", benchNode("z")))
	for i := range 20 {
		key := fmt.Sprint("k", i)
		b.apply(
			b.put("broadcasts/"+key+"/a", &Broadcast{Role: Active, Epoch: 7, Standby: "z"}),
			b.put("broadcasts/"+key+"/z", &Broadcast{Role: Standby, Epoch: 7}))
		b.m.carry(&local.Here{Key: key, Epoch: 8, Publishing: true}, b.now)
		if got := b.registered(key); got != "active 8 z" {
			t.Errorf("%s is registered as %q", key, got)
		}
	}
	draining := benchNode("z")
	draining.State = Draining
	b.apply(b.put("nodes/z", draining))
	if got := b.registered("k0"); got != "active 8 a" {
		t.Errorf("beside a node that drains: %q", got)
	}
}

func TestOutdatedIsToldOnce(t *testing.T) {
	b := newBench(t)
	b.m.carry(&local.Here{Key: "k", Epoch: 8, Publishing: true}, b.now)
	b.apply(b.put("epochs/k", Epoch{8, "n"}), b.put("nodes/a", benchNode("a")))
	b.says("our own")
	b.apply(b.put("epochs/k", Epoch{9, "a"}))
	b.apply(b.put("broadcasts/k/a", active("a", 9, "")))
	b.says("another's", "outdated k 9 a")
	b.m.drop(&local.NotHere{Key: "k", Epoch: 8}, b.now)
	if got := b.registered("k"); got != "" {
		t.Errorf("registered %q", got)
	}
}

func TestWhatAFormerDirectorySaidIsDropped(t *testing.T) {
	b := newBench(t)
	for _, key := range []string{"k", "l"} {
		b.m.carry(&local.Here{Key: key, Epoch: 8, Publishing: true}, b.now)
		b.m.locate(key, b.now)
	}
	b.m.rebind(local.Name, b.now)
	b.m.carry(&local.Here{Key: "k", Epoch: 8, Publishing: true}, b.now)
	b.m.locate("k", b.now)
	b.pass(doubtTime + time.Second)
	if b.registered("k") == "" || b.registered("l") != "" || len(b.m.located) != 1 {
		t.Errorf("k %q, l %q, %d located", b.registered("k"), b.registered("l"), len(b.m.located))
	}
}

func TestLoadIsWrittenWhenItMatters(t *testing.T) {
	for name, c := range map[string]struct {
		was, is Load
		want    bool
	}{
		"the same":       {Load{CPU: 0.5}, Load{CPU: 0.5}, false},
		"a breath":       {Load{CPU: 0.5, Viewers: 100}, Load{CPU: 0.54, Viewers: 105}, false},
		"cpu":            {Load{CPU: 0.5}, Load{CPU: 0.56}, true},
		"memory":         {Load{Memory: 0.5}, Load{Memory: 0.44}, true},
		"a broadcast":    {Load{Broadcasts: 100}, Load{Broadcasts: 101}, true},
		"the first":      {Load{}, Load{Viewers: 1}, true},
		"many viewers":   {Load{Viewers: 100}, Load{Viewers: 120}, true},
		"half the bytes": {Load{Egress: 1000}, Load{Egress: 500}, true},
	} {
		if got := noticeable(c.was, c.is); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t)
	from := actor.NewPID("local", "directory")
	b.m.reserve(&local.Reserve{Key: "k"}, from, false, b.now)
	if b.says("no lease yet"); len(b.m.claims) != 1 {
		t.Error("it does not wait for the first lease")
	}
	b.m.claims = nil
	b.pass(firstLease + time.Second)
	b.m.reserve(&local.Reserve{Key: "k"}, from, false, b.now)
	b.says("no lease", "no: "+reasonUnreachable)
	b.m.setState(Draining)
	b.m.reserve(&local.Reserve{Key: "k"}, from, true, b.now)
	b.says("draining, alone",
		"no: node n is draining, and there is no other to publish to; try again later")
	b.m.setState(Ready)
	b.m.node.Roles = []string{RoleEdge}
	a := benchNode("a")
	a.RTMP = "10.0.0.2:1935"
	b.apply(b.put("nodes/a", a))
	b.m.reserve(&local.Reserve{Key: "k"}, from, true, b.now)
	b.says("no origin", "no: node n is no origin; publish to node a, rtmp://10.0.0.2:1935")
	if len(b.m.claims) != 0 {
		t.Error("claims")
	}
}
