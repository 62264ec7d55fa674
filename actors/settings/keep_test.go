package settings

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// keptDesk is a desk with a keeper, whose questions it notes.
type keptDesk struct {
	*desk
	asked []any
}

func newKeptDesk(t *testing.T) *keptDesk {
	d := newDesk(t)
	d.m = newMachine(Options{Node: "here", Keeper: who("keeper")})
	return &keptDesk{desk: d}
}

// sent returns the answers and what the keeper is asked.
func (d *keptDesk) sent() string {
	var lines []string
	for _, o := range d.m.out.Take() {
		switch msg := o.Msg.(type) {
		case *Answer:
			lines = append(lines, fmt.Sprintf("%s v%d %s %q", msg.ID, msg.Version, msg.State, msg.Note))
		case *Store:
			d.asked = append(d.asked, msg)
			lines = append(lines, fmt.Sprintf("store v%d on v%d", msg.Version, msg.Base))
		case *Load:
			lines = append(lines, "load")
		case *Current:
			lines = append(lines, fmt.Sprintf("%s has v%d", o.To.Id, msg.Settings.Version))
		}
	}
	return strings.Join(lines, "; ")
}

func (d *keptDesk) want(want string) {
	d.t.Helper()
	if got := d.sent(); got != want {
		d.t.Errorf("sent %s, want %s", got, want)
	}
}

// kept answers the latest Store.
func (d *keptDesk) kept(k Kept) {
	last, ok := d.asked[len(d.asked)-1].(*Store)
	if !ok {
		d.t.Fatal("nothing was to be stored")
	}
	k.Key, k.Version, k.Turn = last.Key, last.Version, last.Turn
	d.m.kept(&k, d.now)
}

func TestAnswerWaitsUntilItIsKept(t *testing.T) {
	d := newKeptDesk(t)
	d.follow("gate", 1)
	d.want("gate has v0")
	d.blur("x", 1)
	d.want("gate has v1; store v1 on v0")
	d.m.held(&Held{Key: "live/a", Version: 1, Epoch: 1, State: Live})
	d.want("")
	d.kept(Kept{Stored: true})
	d.want(`x v1 live ""`)
	d.blur("y", 1)
	d.want("gate has v2; store v2 on v1")
	d.kept(Kept{Mirrored: true, Reason: "etcd is away"})
	d.want("")
	d.m.held(&Held{Key: "live/a", Version: 2, Epoch: 1, State: Live})
	d.want(`y v2 live ""`)
}

// What only this node has is said to be so, and is stored once that can be.
func TestWhatIsNotKeptIsSaid(t *testing.T) {
	d := newKeptDesk(t)
	d.blur("x", 1)
	d.want("store v1 on v0")
	d.kept(Kept{Reason: "etcd is away"})
	d.want(`x v1 stored "it is not kept on any other node yet: etcd is away"`)
	d.m.again(d.now)
	d.want("")
	d.now = d.now.Add(retry)
	d.m.again(d.now)
	d.want("store v1 on v0")
	d.blur("y", 1) // while the keeper is asked
	d.want("")
	d.now = d.now.Add(patience)
	d.m.overdue(d.now)
	d.want(`y v2 stored "it is not kept on any other node yet: there was no answer in time"`)
	d.kept(Kept{Stored: true})
	d.want("store v2 on v1")
	d.kept(Kept{Stored: true})
	d.want("")
	if d.m.again(d.now); d.m.unstored() {
		t.Error("there is something to store still")
	}
}

// What was commanded elsewhere of a key that nobody publishes is gone on from.
func TestConflictIsGoneOnFrom(t *testing.T) {
	other := newKeptDesk(t)
	for i := range 7 {
		other.blur(fmt.Sprint(i), 2)
	}
	theirs := other.m.export("live/a")
	d := newKeptDesk(t)
	d.m.get(&Get{Key: "live/a"}, who("reader"), d.now)
	d.want("load")
	d.m.kept(&Kept{Key: "live/a"}, d.now)
	d.want("reader has v0")
	if len(d.m.entries) != 0 {
		t.Error("a key that was only asked for is remembered")
	}
	d.m.command(&Command{ID: "m", Key: "live/a", Change: SetMute{true}}, who("asker"), d.now)
	d.want("store v1 on v0")
	d.kept(Kept{Others: []Adopt{{
		Key: "live/a", Version: theirs.Version, Data: theirs.Data, Stored: true,
	}}})
	d.want("store v8 on v7")
	d.kept(Kept{Stored: true})
	d.want(`m v8 stored ""`)
	if s := d.m.entries["live/a"].settings; !s.Mute || len(s.Blur.Rects) != 2 {
		t.Errorf("the settings are %+v", s)
	}
	d.m.command(&Command{ID: "3", Key: "live/a", Change: SetBlur{}}, who("asker"), d.now)
	d.want(`3 v8 stored ""`) // it was carried out there
}

// A keeper that was restarted is asked again, and what the former one says is void.
func TestKeeperIsRestarted(t *testing.T) {
	d := newKeptDesk(t)
	d.blur("x", 1)
	d.m.get(&Get{Key: "live/a"}, who("reader"), d.now)
	d.want("store v1 on v0; load")
	d.m.rebind(d.now)
	d.want("load; store v1 on v0")
	d.m.kept(&Kept{Key: "live/a", Version: 1, Turn: 1, Reason: "of before"}, d.now)
	d.want("")
	d.kept(Kept{Stored: true})
	d.want(`x v1 stored ""`)
}

// What is kept and cannot be read is not asked for again and again.
func TestUnreadableRecord(t *testing.T) {
	d := newKeptDesk(t)
	d.blur("x", 1)
	d.want("store v1 on v0")
	d.kept(Kept{Others: []Adopt{{
		Key: "live/a", Version: 3, Data: []byte(`{"format":9}`), Stored: true,
	}}})
	d.want(`x v1 stored "it is not kept on any other node yet: ` +
		`settings of format 9: this node knows 1"`)
	d.now = d.now.Add(time.Millisecond)
	d.m.again(d.now)
	d.want("")
}

// TestWhatVanishesIsStoredAgain has those who kept the settings for all lose them, while a later
// version is on its way to them too.
func TestWhatVanishesIsStoredAgain(t *testing.T) {
	d := newKeptDesk(t)
	d.m.vanished("live/a") // of a key that nothing was commanded of
	d.blur("a", 1)
	d.want("store v1 on v0")
	d.m.vanished("live/a")
	d.kept(Kept{Stored: true}) // it was, before
	d.now = d.now.Add(retry)
	d.m.again(d.now)
	d.want("store v1 on v0")
	d.kept(Kept{Stored: true})
	d.want(`a v1 stored ""`)
	d.m.again(d.now.Add(retry))
	d.want("")
	d.m.vanished("live/a")
	if !d.m.unstored() {
		t.Error("nothing is to be stored")
	}
	d.m.again(d.now.Add(retry))
	d.want("store v1 on v1")
}
