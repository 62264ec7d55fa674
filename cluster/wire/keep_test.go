package wire

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
)

// fakeShelf is what is kept for all nodes.
type fakeShelf struct {
	mu      sync.Mutex
	away    bool
	version uint64
	data    []byte
	stores  int
}

func (s *fakeShelf) LoadSettings(context.Context, string) (uint64, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, s.data, nil
}

func (s *fakeShelf) StoreSettings(
	_ context.Context, _ string, base, version uint64, data []byte,
) (uint64, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stores++
	if s.away {
		return 0, nil, errors.New("etcd is away")
	}
	if s.version == base {
		s.version, s.data = version, data
	}
	return s.version, s.data, nil
}

func (s *fakeShelf) set(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *fakeShelf) kept() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// TestKeep commands a node whose shelf comes and goes: the other node has what it has not.
func TestKeep(t *testing.T) {
	if alone(t) {
		return
	}
	shelf := &fakeShelf{}
	here, _ := pair(t, "", shelf)
	here.members.Store("standby", "other")
	command := func(id string) settings.Answer {
		t.Helper()
		answer, err := here.local().Command(t.Context(), *blurOf(id, "live/a"))
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	mirrored := func() uint64 {
		got, err := here.caller.Ask(t.Context(), "other", &settings.Adopt{
			Key: "live/a", Data: []byte("{}"),
		})
		if err != nil {
			return 0
		}
		adopted, _ := got.(*settings.Adopted)
		return adopted.Version
	}
	if a := command("1"); a.Version != 1 || a.Note != "" || shelf.kept() != 1 {
		t.Errorf("%+v, version %d is stored", a, shelf.kept())
	}
	until(t, "the other node has it", func() bool { return mirrored() == 1 })
	shelf.set(true)
	for i, id := range []string{"2", "3"} {
		if a := command(id); a.Note != "" || mirrored() != uint64(i+2) || shelf.kept() != 1 {
			t.Errorf("with the shelf away: %+v, %d there, %d stored", a, mirrored(), shelf.kept())
		}
	}
	here.members.Store("standby", "")
	if a := command("4"); !strings.Contains(a.Note, "not kept on any other node yet: it cannot be "+
		"stored: etcd is away") {
		t.Errorf("with neither: %+v", a)
	}
	shelf.set(false)
	until(t, "all is stored", func() bool { return shelf.kept() == 4 })
	shelf.mu.Lock() // another node has stored one more
	shelf.version, shelf.data = 5, []byte(`{"format":1,"version":5,"mute":true}`)
	shelf.mu.Unlock()
	if a := command("5"); a.Version != 6 || a.Note != "" || shelf.kept() != 6 {
		t.Errorf("on another's: %+v, version %d is stored", a, shelf.kept())
	}
	here.members.Store("backup", "other")
	if a := command("6"); a.Note != "" || a.Version < 7 || mirrored() != a.Version ||
		shelf.kept() != a.Version {
		t.Errorf("with a backup: %+v, %d there, %d stored", a, mirrored(), shelf.kept())
	}
	here.members.Store("backup", "nobody") // of a broadcast that nobody publishes, no matter
	if a := command("7"); a.State != settings.Stored || shelf.kept() != a.Version {
		t.Errorf("with a backup that is not there: %+v, %d stored", a, shelf.kept())
	}
}
