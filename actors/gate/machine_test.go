package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// begun is a stage on which a broadcast is on the air, with nothing commanded.
func begun(t *testing.T) *stage {
	s := newStage(t)
	s.settings(nil)
	s.begin()
	s.frames(5)
	return s
}

func TestPassesTheSourceUntouched(t *testing.T) {
	s := begun(t)
	s.want("public", "source x5")
	for i, u := range s.passed["public"] {
		if u.Seq != uint64(i+1) || u.Epoch != 1 {
			t.Errorf("unit %d is %d.%d", i, u.Epoch, u.Seq)
		}
	}
	if s.passed["public"][0] != s.header {
		t.Error("a unit that nothing has to be changed of is copied")
	}
	if len(s.workers) != 0 {
		t.Error("a worker runs that nobody needs")
	}
}

func TestNothingPassesBeforeTheSettingsAreKnown(t *testing.T) {
	s := newStage(t)
	s.begin()
	s.frames(3)
	s.want("public", "")
}

// A blur switches to the worker once it has caught up, and back at the source's IDR picture.
func TestBlurOnAndOff(t *testing.T) {
	s := begun(t)
	s.settings(blurred)
	s.hello(Main)
	s.frames(2)
	s.want("public", "source x7")
	if len(s.holds) != 1 {
		t.Errorf("it is reported to hold while the source passes: %+v", s.holds)
	}
	s.ready(Main)
	if h := s.held(); h.Version != 1 || h.State != settings.Live || h.PTS != s.pts(6)+ms {
		t.Errorf("reported: %+v", h)
	}
	if !slices.Equal(s.seals, []string{"public"}) {
		t.Errorf("sealed against late joiners: %v", s.seals)
	}
	s.frames(3)
	s.want("public", "source x7, main v1 r1 x3")
	s.settings(func(n *settings.Settings) { n.Blur.Mode = settings.Solid })
	if !s.workers[Main].wantIDR || len(s.seals) != 2 {
		t.Errorf("another blur: IDR asked for %v, sealed %v", s.workers[Main].wantIDR, s.seals)
	}
	s.settings(unblurred)
	if h := s.held(); h.Version != 3 || h.PTS != s.pts(9)+ms {
		t.Errorf("reported: %+v", h)
	}
	s.frames(6) // up to 16, where the source's next IDR picture is
	s.want("public", "source x7, main v1 r1 x3, main v3 r0 x6")
	s.frames(8)
	s.want("public", "source x7, main v1 r1 x3, main v3 r0 x6, source x8")
	var inBand bool
	for _, u := range s.passed["public"] {
		inBand = inBand || u.Role == media.Keyframe && strings.Contains(string(u.Body), string(
			unhex("6742c00d"))) && markOf(u) == "source"
	}
	if !inBand {
		t.Error("the source comes back without its parameter sets")
	}
	s.now = s.now.Add(idleTime)
	s.frames(1)
	if s.now = s.now.Add(idleTime); len(s.stopped) != 1 {
		s.frames(1)
	}
	if len(s.stopped) != 1 || s.stopped[0] != Main {
		t.Errorf("workers stopped: %v", s.stopped)
	}
}

// A worker that does not catch up in time is not waited for: its lane shows nothing.
func TestBlurWithoutAWorker(t *testing.T) {
	s := begun(t)
	s.settings(blurred)
	s.frames(12) // 480 ms
	if len(s.holds) != 1 {
		t.Errorf("it is reported to hold while the source passes: %+v", s.holds)
	}
	s.frames(20)
	s.want("public", "source x18")
	if h := s.held(); h.Version != 1 || h.PTS != s.pts(17)+ms {
		t.Errorf("reported: %+v", h)
	}
	s.hello(Main)
	s.ready(Main)
	s.frames(2)
	s.want("public", "source x18, main v1 r1 x2")
}

func TestBlurBeforeTheFirstPicture(t *testing.T) {
	s := newStage(t)
	s.settings(blurred)
	s.hello(Main)
	s.begin()
	s.frames(3)
	s.want("public", "main v0 r1 x3")
	if h := s.held(); h.Version != 0 || h.PTS != 0 {
		t.Errorf("reported: %+v", h)
	}
}

// TestBlurAcrossEpochs has a blur hold from where the former epoch ended: viewers have pictures of
// that one which are earlier, and not blurred.
func TestBlurAcrossEpochs(t *testing.T) {
	s := newStage(t)
	s.m.base = 5 * media.Second
	s.settings(blurred)
	if h := s.held(); h.PTS != 5*media.Second {
		t.Errorf("reported before the first picture: %+v", h)
	}
}

// While a worker is away the last clean picture stays; what it makes afterwards begins with an IDR
// picture.
func TestWorkerIsRestarted(t *testing.T) {
	s := begun(t)
	s.settings(blurred)
	s.hello(Main)
	s.ready(Main)
	s.frames(2)
	old := *s.workers[Main]
	for range 4 {
		s.frame()
	}
	s.hello(Main)
	s.frames(2)
	s.want("public", "source x5, main v1 r1 x4")
	s.do(func() {
		if got := s.m.Output(old.output(s.pts(s.n), true)); got != unwanted {
			t.Errorf("an output of an earlier incarnation: %v", got)
		}
	})
}

// What was filtered under older settings than its time demands does not pass.
func TestOutputsOfOlderSettings(t *testing.T) {
	s := begun(t)
	s.settings(blurred)
	s.hello(Main)
	s.ready(Main)
	s.frames(2)
	w := s.workers[Main]
	old := *w.order
	s.settings(func(n *settings.Settings) { n.Blur.Rects = append(n.Blur.Rects, n.Blur.Rects[0]) })
	w.order = &old
	s.frame()
	s.do(func() {
		if got := s.m.Output(w.output(s.pts(s.n-1), false)); got != unfiltered {
			t.Errorf("an output that was filtered under older settings: %v", got)
		}
	})
	if !w.wantIDR {
		t.Error("no IDR picture is asked for")
	}
	s.frames(1)
	s.want("public", "source x5, main v1 r1 x2, main v2 r2 x1")
}

// A lost output costs the pictures that refer to it, until the IDR picture that is asked for.
func TestLostOutput(t *testing.T) {
	s := begun(t)
	s.settings(blurred)
	s.hello(Main)
	s.ready(Main)
	s.frames(2)
	s.workers[Main].seq++
	s.frames(3)
	s.want("public", "source x5, main v1 r1 x4")
}

// A worker that does not say from when on it carries a change out is given a second; then nothing
// passes that is not filtered under the change.
func TestSilentWorker(t *testing.T) {
	s := begun(t)
	s.settings(blurred)
	s.hello(Main)
	s.ready(Main)
	s.frames(2)
	w := s.workers[Main]
	deaf := *w.order
	w.pid = pid("elsewhere") // it does not hear of the change
	s.settings(func(n *settings.Settings) { n.Blur.Mode = settings.Solid })
	w.order = &deaf
	s.frames(30)
	if h := s.held(); h.Version != 2 {
		t.Errorf("reported: %+v", h)
	}
	cut := s.held().PTS
	for _, u := range s.passed["public"] {
		if u.PTS() >= cut && strings.HasPrefix(markOf(u), "main v1") {
			t.Errorf("a picture of %v passes, cut %v", u.PTS(), cut)
		}
	}
}

func TestAudioOnly(t *testing.T) {
	s := newStage(t)
	s.settings(nil)
	s.begin()
	a := s.unit(media.Audio, media.Keyframe, 100*ms, []byte{0xaf, 1, 0x21, 1})
	a.Header = s.audio
	s.do(func() { s.m.Source(a) })
	s.settings(blurred)
	if h := s.held(); h.Version != 1 || h.State != settings.Live {
		t.Errorf("reported: %+v", h)
	}
	s.frames(3) // there is a picture after all
	s.want("public", "")
}

func TestHEVCIsWithheld(t *testing.T) {
	s := newStage(t)
	s.codec = media.HEVC
	s.settings(nil)
	s.begin()
	s.frames(2)
	s.settings(blurred)
	s.hello(Main)
	delete(s.workers, Main) // nothing comes of it
	s.do(func() {
		s.m.Fault(&process.Fault{Name: Main, Incarnation: 1, Reason: "hvc1"})
	})
	if h := s.held(); h.State != settings.Withheld || !strings.Contains(h.Note, "hvc1") {
		t.Errorf("reported: %+v", h)
	}
	s.frames(3)
	s.want("public", "source x2")
	s.settings(unblurred)
	s.frames(gop)
	s.want("public", "source x7") // from the next keyframe on, at once
	if h := s.held(); h.Version != 2 || h.State != settings.Live || h.Note != "" {
		t.Errorf("reported without the blur: %+v", h)
	}
}

func TestLadder(t *testing.T) {
	s := begun(t)
	low := settings.Rendition{Name: "480p", Height: 480, Bitrate: 800_000}
	s.settings(func(n *settings.Settings) { n.Renditions = []settings.Rendition{low} })
	if !s.lanes["480p"] || s.workers["480p"] == nil {
		t.Fatalf("lanes %v, workers %v", s.lanes, s.workers)
	}
	s.up("480p")
	s.hello("480p")
	s.frames(3)
	s.want("480p", "480p v1 r0 x3")
	s.want("public", "source x8")
	s.settings(blurred)
	s.hello(Main)
	s.ready(Main)
	if h := s.held(); h.Version != 2 || h.PTS != s.pts(7)+ms {
		t.Errorf("reported: %+v", h)
	}
	s.frames(2)
	s.want("480p", "480p v1 r0 x3, 480p v2 r1 x2")
	s.settings(func(n *settings.Settings) {
		low.Bitrate *= 2
		n.Renditions = []settings.Rendition{low}
	})
	if len(s.stopped) != 1 || s.workers["480p"] == nil {
		t.Errorf("a changed rendition: stopped %v, workers %v", s.stopped, s.workers)
	}
	s.settings(func(n *settings.Settings) { n.Renditions = nil })
	if s.lanes["480p"] || s.workers["480p"] != nil {
		t.Errorf("a removed rendition: lanes %v, workers %v", s.lanes, s.workers)
	}
}

func TestMute(t *testing.T) {
	s := begun(t)
	s.settings(func(n *settings.Settings) { n.Mute = true })
	from := s.held().PTS
	s.frames(3)
	s.settings(func(n *settings.Settings) { n.Mute = false })
	to := s.held().PTS
	s.frames(3)
	for _, u := range s.passed["public"] {
		if u.Kind != media.Audio || u.Role == media.SequenceHeader {
			continue
		}
		silent := string(u.Body[2:]) == string(silentStereo[:])
		if want := u.PTS() > from && u.PTS() <= to; silent != want {
			t.Errorf("sound of %v is silent: %v, want %v", u.PTS(), silent, want)
		}
	}
	s.want("public", "source x11")
}

// What comes again after a restart of the gate or of the source is left out.
func TestSnapshotComesAgain(t *testing.T) {
	s := begun(t)
	units := len(s.passed["public"])
	for _, u := range slices.Clone(s.passed["public"]) {
		s.do(func() { s.m.Source(u) })
	}
	if got := len(s.passed["public"]); got != units {
		t.Errorf("%d units pass twice", got-units)
	}
	s.frames(1)
	s.want("public", "source x6")
}

// A gap of the source is passed on: whoever follows waits for a keyframe.
func TestGapOfTheSource(t *testing.T) {
	s := begun(t)
	s.seq += 3
	s.frames(6)
	if got := s.shown("public"); got != "source x8" { // 5, and from picture 8 on
		t.Errorf("public shows %s", got)
	}
}

func TestPolicyAlways(t *testing.T) {
	s := newStage(t)
	s.settings(func(n *settings.Settings) { n.Always = true })
	s.hello(Main)
	s.begin()
	s.frames(4)
	s.want("public", "main v0 r0 x4")
	s.now = s.now.Add(2 * idleTime)
	s.frames(1)
	if len(s.stopped) != 0 {
		t.Errorf("stopped: %v", s.stopped)
	}
}

func TestHybrid(t *testing.T) {
	s := newStage(t)
	s.m.hybrid = true
	s.settings(func(n *settings.Settings) { n.Always = true })
	s.hello(Main)
	s.ready(Main)
	s.begin()
	s.frames(4)
	s.settings(blurred)
	s.frames(2)
	s.want("public", "source x4, main v1 r1 x2")
	s.settings(unblurred)
	s.frames(6)
	s.want("public", "source x4, main v1 r1 x2, main v2 r0 x2, source x4")
}

func TestWhoIsMissingIsAskedForAgain(t *testing.T) {
	s := begun(t)
	s.settings(blurred)
	delete(s.workers, Main) // it was refused, as its namesake was ending
	s.now = s.now.Add(2 * time.Second)
	s.frames(1)
	if s.workers[Main] == nil || !s.m.Waits() {
		t.Error("nobody asks again")
	}
}

// TestWhoEndsIsAskedForAgain has the supervisors of workers and topics lose their children.
func TestWhoEndsIsAskedForAgain(t *testing.T) {
	s := begun(t)
	s.settings(func(n *settings.Settings) {
		blurred(n)
		n.Renditions = []settings.Rendition{{Name: "480p", Height: 480}}
	})
	for _, name := range []string{Main, "480p"} {
		s.hello(name)
		s.ready(name)
	}
	s.up("480p")
	s.frames(gop)
	if n := len(s.m.parts()); n != 3 {
		t.Errorf("the ends of %d actors are heard, want 3", n)
	}
	s.now = s.now.Add(patience)
	s.ends(Main)
	if s.workers[Main] == nil {
		t.Error("the worker is not asked for again")
	}
	delete(s.lanes, "480p")
	s.do(func() { s.m.Gone(pid("480p")) })
	if !s.lanes["480p"] || len(s.m.parts()) != 1 || !s.m.Waits() {
		t.Errorf("the topic is not asked for again; %d parts", len(s.m.parts()))
	}
	s.ends("480p") // it had its turn just now: the next one is a moment later
	if s.workers["480p"] == nil {
		s.now = s.now.Add(patience)
		s.do(s.m.Tick)
	}
	shown := len(s.pictures("public"))
	for _, name := range []string{Main, "480p"} {
		s.hello(name)
	}
	s.up("480p")
	s.frames(gop)
	if len(s.pictures("public")) != shown+gop || len(s.pictures("480p")) < 2*gop {
		t.Errorf("%d pictures before, %d after; %d of the rendition",
			shown, len(s.pictures("public")), len(s.pictures("480p")))
	}
}

// TestFirstPictureIsTheEntry has a rendition's topic come up after its worker: a second IDR picture
// right behind the first one would be at a time where the source has none.
func TestFirstPictureIsTheEntry(t *testing.T) {
	s := begun(t)
	s.settings(func(n *settings.Settings) {
		n.Renditions = []settings.Rendition{{Name: "480p", Height: 480}}
	})
	s.hello("480p")
	s.up("480p")
	if n := s.workers["480p"].refresh; n != 0 {
		t.Errorf("%d IDR pictures asked for before the first output", n)
	}
	s.frames(2)
	s.do(func() { s.m.Gone(pid("480p")) })
	s.up("480p")
	if n := s.workers["480p"].refresh; n != 1 {
		t.Errorf("%d IDR pictures asked for by a topic that begins in between, want 1", n)
	}
}
