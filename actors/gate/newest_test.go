package gate

import (
	"strings"
	"testing"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// newest wants a picture of someone's, or none for a reason.
func (s *stage) newest(lane, want string) {
	s.t.Helper()
	p := s.m.Newest(&Newest{Rendition: lane})
	got := p.Reason
	if p.Unit != nil {
		got = markOf(p.Unit)
		if p.Unit.Header == nil || p.Unit.Role != media.Keyframe || p.Version < p.Floor {
			s.t.Errorf("%s: a picture that cannot be shown: %+v", lane, p)
		}
	}
	if !strings.HasPrefix(got, want) || got == "" {
		s.t.Errorf("%q has %q, want %q", lane, got, want)
	}
}

// TestNewestFollowsTheBlur holds that a picture from before a blur is not given out once it is
// commanded, nor one from before its latest change.
func TestNewestFollowsTheBlur(t *testing.T) {
	s := newStage(t)
	s.newest("", "the broadcast is just beginning")
	s.settings(nil)
	s.newest("", "the broadcast has no video")
	s.begin()
	s.newest("", "not yet: no picture")
	s.frames(5)
	s.newest("", "source")
	s.newest("public", "source")
	s.settings(blurred)
	s.newest("", "not yet: no picture that can be decoded by itself has come since")
	s.hello(Main)
	s.frames(1)
	s.ready(Main)
	s.newest("", "not yet")
	s.frames(1)
	s.newest("", "main v1 r1")
	s.settings(func(n *settings.Settings) { n.Mute = true })
	s.newest("", "main v1 r1")
	s.settings(func(n *settings.Settings) {
		n.Blur = settings.Blur{Rects: []settings.Rect{{W: 1, H: 1}}}
	})
	s.newest("", "not yet")
	s.frames(gop)
	s.newest("", "main v3 r1")
	s.settings(unblurred)
	s.newest("", "main v3 r1")
	s.frames(2 * gop)
	s.newest("", "source")
}

// TestNewestFailsClosed holds that a worker that fails leaves no picture of before.
func TestNewestFailsClosed(t *testing.T) {
	s := newStage(t)
	s.settings(blurred)
	s.begin()
	s.frames(gop + 1)
	s.newest("", "not yet")
	s.hello(Main)
	w := s.workers[Main]
	s.do(func() {
		s.m.Fault(&process.Fault{Name: Main, Incarnation: w.incarnation, Reason: "it is broken"})
	})
	s.newest("", "public is withheld: it is broken")
}

func TestNewestOfTheLadder(t *testing.T) {
	s := begun(t)
	if p := s.m.Newest(&Newest{Rendition: "480p"}); !p.Unknown {
		t.Errorf("a rendition that is not there: %+v", p)
	}
	s.settings(func(n *settings.Settings) {
		n.Renditions = []settings.Rendition{{Name: "480p", Height: 480}}
	})
	s.newest("480p", "not yet")
	s.up("480p")
	s.hello("480p")
	s.ready("480p")
	s.frames(2)
	s.newest("480p", "480p v1 r0")
	s.settings(blurred)
	s.newest("480p", "not yet")
	s.frames(gop)
	s.newest("480p", "480p v2 r1")
}

func TestNewestOfAnotherCodec(t *testing.T) {
	s := newStage(t)
	s.codec = media.HEVC
	s.settings(nil)
	s.begin()
	s.frames(3)
	s.newest("", "the publisher sends hvc1, of which only avc1 can be processed")
	s.settings(blurred)
	s.newest("", "public is withheld: the publisher sends hvc1")
}
