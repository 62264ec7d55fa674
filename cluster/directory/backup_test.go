package directory

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	local "github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/settings"
)

var desk = actor.NewPID("local", "desk")

// joins asks what a backup's publisher is to be, and returns what is said by then.
func (b *bench) joins(key string) string {
	b.t.Helper()
	b.m.join(&local.Join{Key: key}, desk, b.now)
	return b.desk()
}

// desk is what the publisher's desk was told.
func (b *bench) desk() string {
	said := ""
	for _, o := range b.m.out.Take() {
		switch msg := o.Msg.(type) {
		case *local.Joined:
			said = fmt.Sprintf("joined %q %d", msg.Node, msg.Epoch)
		case *local.Unjoined:
			said = "no: " + msg.Reason
		}
	}
	return said
}

// learns ends what was to be learned, and returns how much that was.
func (b *bench) learns(ok bool) int {
	all := b.m.joins
	b.m.joins = nil
	for _, j := range all {
		b.m.joined(j, ok, b.now)
	}
	return len(all)
}

func backup(node string, epoch uint64) *Broadcast {
	return &Broadcast{Key: "k", Node: node, Role: Backup, Epoch: epoch, Publishing: true}
}

func TestJoin(t *testing.T) {
	b := newBench(t)
	a := b.put("nodes/a", benchNode("a"))
	b.apply(a)
	if said := b.joins("k"); said != "" {
		t.Errorf("the active may be about to begin: %s", said)
	}
	b.apply(b.put("broadcasts/k/a", active("a", 5, "")))
	if b.learns(true) != 1 {
		t.Error("what is commanded is not asked for")
	}
	if said := b.desk(); said != `joined "a" 5` {
		t.Error(said)
	}
	b.joins("k")
	b.learns(false)
	if said := b.desk(); said != "no: "+reasonUnknown {
		t.Error(said)
	}
	b.joins("other")
	b.pass(firstWait + time.Second)
	if said := b.desk(); said != `joined "" 0` {
		t.Errorf("nobody publishes it: %s", said)
	}
	b.m.carry(&local.Here{Key: "mine", Epoch: 7, Publishing: true}, b.now)
	b.m.out.Take()
	const reason = "no: node n has the broadcast itself, and a backup belongs on another; " +
		"publish to node a, rtmp://a:1935"
	b.m.atlas.view.Nodes["a"].RTMP = "a:1935"
	if said := b.joins("mine"); said != reason {
		t.Error(said)
	}
	b.m.carry(&local.Here{Key: "mine", Epoch: 7}, b.now)
	b.m.out.Take()
	if said := b.joins("mine"); said != `joined "" 0` {
		t.Errorf("its publisher is awaited: %s", said)
	}
}

// TestBackup has a backup serve as the standby, show what its publisher sends once it has all that
// is commanded, and go on without its active.
func TestBackup(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "")))
	b.m.back(&local.Backup{Key: "k", Epoch: 9, Publishing: true}, b.now)
	b.says("a backup", "start pin/k@/standby")
	b.up("pin/k@/standby")
	if got := b.registered("k"); got != "backup 5 " {
		t.Errorf("registered as %s", got)
	}
	if b.learns(true) != 0 {
		t.Error("the active does not know of it yet")
	}
	b.says("up")
	b.apply(b.put("broadcasts/k/n", backup("n", 5)), b.put("broadcasts/k/a", active("a", 5, "n")))
	b.says("the active knows of it")
	if b.learns(false) != 1 {
		t.Error("what is commanded is not asked for")
	}
	b.says("that is not learned")
	b.pass(2 * time.Second)
	b.learns(true)
	b.says("that is learned", "start splice/k@")
	b.up("splice/k@")

	with := active("a", 5, "n")
	with.Renditions = []string{"480p"}
	b.apply(b.put("broadcasts/k/a", with))
	b.says("a rendition", "start pin/k@480p/standby")
	b.up("pin/k@480p/standby")
	b.says("it is pinned", "start splice/k@480p")
	b.up("splice/k@480p")

	b.m.renditions(current("k", "480p"))
	b.apply(b.gone("nodes/a"), b.gone("broadcasts/k/a"))
	b.pass(2 * time.Minute)
	b.says("the active is gone")
	if got := b.registered("k"); got != "backup 5 " {
		t.Errorf("registered as %s", got)
	}
	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 8, "n")))
	if got := b.registered("k"); got != "backup 8 " {
		t.Errorf("registered as %s", got)
	}
	b.m.unback(&local.NoBackup{Key: "k", Epoch: 9}, b.now)
	said := b.said()
	if !slices.Contains(said, "stop splice/k@") || !slices.Contains(said, "stop splice/k@480p") {
		t.Errorf("the publisher is gone: %v", said)
	}
	if got := b.registered("k"); got != "standby 8 " {
		t.Errorf("registered as %s", got)
	}
}

// TestBackupThatIsNoMember ends showing what it may not have been told to hide.
func TestBackupThatIsNoMember(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "n")),
		b.put("broadcasts/k/n", backup("n", 5)))
	b.m.back(&local.Backup{Key: "k", Epoch: 9, Publishing: true}, b.now)
	b.up("pin/k@/standby")
	b.learns(true)
	b.up("splice/k@")
	b.says("it shows", "start pin/k@/standby", "start splice/k@")
	b.m.apply(nil, true, false, b.now)
	b.pass(unheldTime)
	b.says("for a while")
	b.pass(time.Second)
	b.says("too long", "stop splice/k@")
	b.apply()
	b.m.tick(b.now)
	if b.learns(true) != 1 {
		t.Error("what is commanded is not asked for")
	}
	b.says("a member again", "start splice/k@")
}

// TestBackupYields ends a backup on the node that the broadcast has come to.
func TestBackupYields(t *testing.T) {
	b := newBench(t)
	b.apply(b.put("nodes/a", benchNode("a")), b.put("broadcasts/k/a", active("a", 5, "n")),
		b.put("broadcasts/k/n", backup("n", 5)))
	b.m.back(&local.Backup{Key: "k", Epoch: 9, Publishing: true}, b.now)
	b.up("pin/k@/standby")
	b.learns(true)
	b.said()
	b.m.carry(&local.Here{Key: "k", Epoch: 20, Publishing: true}, b.now)
	if said := b.said(); !slices.Contains(said, "stop splice/k@") ||
		!slices.Contains(said, "outdated k@backup 10 n") {
		t.Errorf("%v", said)
	}
	if got := b.registered("k"); got != "active 20 a" {
		t.Errorf("registered as %s", got)
	}
}

// TestActiveAwaitsItsBackup prefers a backup as the standby, has commands await it, and adds
// nothing of its own meanwhile.
func TestActiveAwaitsItsBackup(t *testing.T) {
	b := newBench(t)
	quiet := map[string]bool{}
	b.m.place.Quiet = func(key string, on bool) { quiet[key] = on }
	b.apply(b.put("nodes/n", benchNode("n")), b.put("nodes/a", benchNode("a")),
		b.put("nodes/b", benchNode("b")))
	b.m.carry(&local.Here{Key: "k", Epoch: 5, Publishing: true}, b.now)
	other := map[string]string{"a": "b", "b": "a"}[b.m.here["k"].standby]
	await := func(what, want string) {
		t.Helper()
		if got := b.m.atlas.view.Awaited["k"]; got != want || quiet["k"] != (want != "") {
			t.Errorf("%s: %q is awaited, quiet %v", what, got, quiet["k"])
		}
	}
	await("a standby", "")
	b.apply(b.put("broadcasts/k/"+other, backup(other, 5)))
	await("a backup", other)
	if got := b.registered("k"); got != "active 5 "+other {
		t.Errorf("registered as %s", got)
	}
	b.apply(b.gone("nodes/"+other), b.gone("broadcasts/k/"+other))
	b.pass(backupGone - time.Second)
	await("its node is gone", other)
	b.pass(3 * time.Second)
	await("for long", "")
	b.apply(b.put("nodes/"+other, benchNode(other)),
		b.put("broadcasts/k/"+other, backup(other, 5)))
	await("it is back", other)
	b.apply(b.gone("broadcasts/k/" + other))
	await("its publisher is gone", "")
	b.apply(b.put("broadcasts/k/"+other, backup(other, 5)))
	b.m.drop(&local.NotHere{Key: "k", Epoch: 5}, b.now)
	await("it is not here any more", "")
}

func TestCarrier(t *testing.T) {
	v := newView(3, 0)
	v.put("k", "origin-1", Backup, 5, "")
	v.put("k", "origin-2", Backup, 5, "")
	if c := v.Carrier("k"); c == nil || c.Node != "origin-1" {
		t.Errorf("%+v carries it without an active", c)
	}
	v.put("k", "origin-0", Active, 5, "origin-2")
	if c, b := v.Carrier("k"), v.Backup("k"); c.Node != "origin-0" || b.Node != "origin-2" {
		t.Errorf("%+v carries it, %+v is the backup", c, b)
	}
	if v.Carrier("other") != nil {
		t.Error("nobody has it")
	}
}

func current(key string, renditions ...string) *settings.Current {
	s := &settings.Settings{}
	for _, name := range renditions {
		s.Renditions = append(s.Renditions, settings.Rendition{Name: name})
	}
	return &settings.Current{Key: key, Settings: s}
}
