package gate

import (
	"slices"
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
)

// TestBackupSealsEarly has the gate of a backup say that something changes before it does.
func TestBackupSealsEarly(t *testing.T) {
	s := begun(t)
	s.m.early = true
	if s.m.public().made() {
		t.Error("the publisher's own pictures pass")
	}
	s.settings(blurred)
	if !slices.Equal(s.seals, []string{"public"}) {
		t.Errorf("a blur: sealed %v", s.seals)
	}
	s.hello(Main)
	s.frames(2)
	s.ready(Main)
	if len(s.seals) != 2 || !s.m.public().made() {
		t.Errorf("it holds: sealed %v, made %v", s.seals, s.m.public().made())
	}
	s.settings(func(n *settings.Settings) { n.Mute = true })
	if len(s.seals) < 3 {
		t.Errorf("a mute: sealed %v", s.seals)
	}
	before := len(s.seals)
	s.settings(func(n *settings.Settings) {
		n.Renditions = []settings.Rendition{{Name: "480p", Height: 480}}
	})
	if sealed := s.seals[before:]; slices.Contains(sealed, "480p") {
		t.Errorf("a rendition: sealed %v", sealed)
	}
}
