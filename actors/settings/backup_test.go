package settings

import (
	"strings"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// TestAnswerAwaitsTheBackup says that a command is live only once the backup says so too, and from
// when on both hold it.
func TestAnswerAwaitsTheBackup(t *testing.T) {
	d := newKeptDesk(t)
	d.follow("gate", 1)
	holds := func(version uint64) {
		d.m.held(&Held{Key: "live/a", Version: version, Epoch: 1, State: Live, PTS: media.Second})
	}
	answered := func() *Answer {
		t.Helper()
		var a *Answer
		for _, o := range d.m.out.Take() {
			switch msg := o.Msg.(type) {
			case *Answer:
				a = msg
			case *Store:
				d.asked = append(d.asked, msg)
			}
		}
		return a
	}
	d.blur("x", 1)
	holds(1)
	if a := answered(); a != nil {
		t.Errorf("before the backup: %+v", a)
	}
	d.kept(Kept{Stored: true, Backup: &Backup{Node: "o-2", PTS: 2 * media.Second}})
	if a := answered(); a == nil || a.State != Live || a.PTS != 2*media.Second || a.Note != "" {
		t.Errorf("%+v", a)
	}
	d.blur("y", 2)
	holds(2)
	answered()
	d.kept(Kept{Stored: true, Backup: &Backup{Node: "o-2", Reason: "no answer"}})
	a := answered()
	if a == nil || a.State != Stored || a.PTS != 0 || !strings.Contains(a.Note, "node o-2") ||
		!strings.Contains(a.Note, "no answer") {
		t.Errorf("%+v", a)
	}
	d.now = d.now.Add(retry)
	d.m.again(d.now)
	if answered(); d.asked[len(d.asked)-1].(*Store).Version != 2 || len(d.asked) != 3 {
		t.Errorf("the backup is not told again: %d questions", len(d.asked))
	}
	d.kept(Kept{Stored: true, Backup: &Backup{Node: "o-2"}})
	d.now = d.now.Add(retry)
	d.m.again(d.now)
	if answered(); len(d.asked) != 3 || d.m.unstored() {
		t.Error("there is something to tell still")
	}
}

// TestBackupOfASilentKeeper takes a command for live at no time that a backup may not know of.
func TestBackupOfASilentKeeper(t *testing.T) {
	d := newKeptDesk(t)
	d.m.Backed = func(key string) bool { return key == "live/a" }
	d.follow("gate", 1)
	d.blur("x", 1)
	d.m.held(&Held{Key: "live/a", Version: 1, Epoch: 1, State: Live})
	d.sent()
	d.now = d.now.Add(patience)
	d.m.overdue(d.now)
	if got := d.sent(); !strings.HasPrefix(got, "x v1 stored ") ||
		!strings.Contains(got, "the publisher's backup is not known to hold it") {
		t.Error(got)
	}
}

// TestAdoptAwaits answers once what was adopted holds here.
func TestAdoptAwaits(t *testing.T) {
	other := newKeptDesk(t)
	other.blur("x", 1)
	theirs := other.m.export("live/a")
	d := newKeptDesk(t)
	adopt := func() {
		d.m.take(&Adopt{
			Key: "live/a", Version: theirs.Version, Data: theirs.Data, Await: true,
		}, who("active"), d.now)
	}
	answered := func() *Adopted {
		for _, o := range d.m.out.Take() {
			if a, ok := o.Msg.(*Adopted); ok && o.To.Equal(who("active")) {
				return a
			}
		}
		return nil
	}
	adopt()
	if a := answered(); a == nil || a.State != Stored || a.Version != 1 {
		t.Errorf("without a gate: %+v", a)
	}
	d.follow("gate", 3)
	adopt()
	if a := answered(); a != nil {
		t.Errorf("before the gate: %+v", a)
	}
	d.m.held(&Held{Key: "live/a", Version: 0, Epoch: 3, State: Live})
	d.m.held(&Held{Key: "live/a", Version: 1, Epoch: 2, State: Live})
	if a := answered(); a != nil {
		t.Errorf("another version: %+v", a)
	}
	d.m.held(&Held{Key: "live/a", Version: 1, Epoch: 3, State: Live, PTS: media.Second})
	if a := answered(); a == nil || a.State != Live || a.PTS != media.Second {
		t.Errorf("%+v", a)
	}
	adopt()
	if a := answered(); a == nil || a.State != Live {
		t.Errorf("what holds already: %+v", a)
	}
	d.follow("another gate", 4)
	adopt()
	d.m.gone(who("another gate"))
	if a := answered(); a == nil || a.State != Stored {
		t.Errorf("its gate has ended: %+v", a)
	}
}
