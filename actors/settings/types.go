package settings

import (
	"fmt"
	"slices"
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// Mode is what a blur does to its rectangles.
type Mode uint8

// The modes. The zero Mode is the default.
const (
	// Pixelate shows cells of one colour each, too large for text.
	Pixelate Mode = iota
	// Box is a mean over a square window.
	Box
	// Gaussian is a weighted mean: the smoothest and the dearest.
	Gaussian
	// Solid covers with one colour: nothing of what was there is left.
	Solid
)

var modeNames = [...]string{"pixelate", "box", "gaussian", "solid"}

// Modes are the names of the modes.
func Modes() []string { return slices.Clone(modeNames[:]) }

// String returns the mode's name.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// ParseMode returns the mode of a name; none means Pixelate.
func ParseMode(name string) (Mode, error) {
	if name == "" {
		return Pixelate, nil
	}
	if i := slices.Index(modeNames[:], name); i >= 0 {
		return Mode(i), nil
	}
	return 0, refusedf("mode %q: want one of %v", name, modeNames)
}

// Rect is a rectangle in fractions of the picture, from the left and from the top, each 0 to 1. It
// keeps its meaning when the picture changes its size or is turned.
type Rect struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// MaxRects bounds the rectangles of a blur.
const MaxRects = 16

// Blur is what is made unreadable in the picture. No rectangle means that nothing is.
type Blur struct {
	Mode  Mode
	Rects []Rect
}

// check refuses what is no rectangle of a picture. One that reaches beyond the edge is cut there.
func (b *Blur) check() error {
	if len(b.Rects) > MaxRects {
		return refusedf("%d rectangles, at most %d", len(b.Rects), MaxRects)
	}
	if int(b.Mode) >= len(modeNames) {
		return refusedf("%v: want one of %v", b.Mode, modeNames)
	}
	for i, r := range b.Rects {
		// Written so that a NaN fails too.
		if !(r.X >= 0 && r.X < 1 && r.Y >= 0 && r.Y < 1) {
			return refusedf("rectangle %d begins at %g,%g: want 0 to below 1", i, r.X, r.Y)
		}
		if !(r.W > 0 && r.W <= 1 && r.H > 0 && r.H <= 1) {
			return refusedf("rectangle %d is %g by %g: want above 0, at most 1", i, r.W, r.H)
		}
	}
	return nil
}

// Rendition is one form of the broadcast's picture, made on the server.
type Rendition struct {
	// Name names it in addresses: ?rendition=480p. It is 1 to 16 of a-z, 0-9 and -.
	Name string `json:"name"`
	// Height is the length of the picture's shorter side in pixels, even, 90 to 2160; a picture
	// that is smaller is not enlarged. 0 means the size of the source.
	Height int `json:"height,omitempty"`
	// Bitrate of the video, in bits a second, 50 000 to 50 000 000; 0 means about the source's.
	Bitrate int `json:"bitrate,omitempty"`
	// FPS is how many pictures a second it has at most, 1 to 120; 0 means as many as the source.
	FPS int `json:"fps,omitempty"`
}

// MaxRenditions bounds the renditions of a broadcast beside its public one.
const MaxRenditions = 6

// Names of the renditions that are not declared.
const (
	// Public is what viewers get who ask for none.
	Public = "public"
	// Source is the publisher's own picture; asking for it gets Public, which is the same while
	// nothing has to be hidden.
	Source = "source"
)

func (r *Rendition) check() error {
	if r.Name == Public || r.Name == Source || !IsName(r.Name) {
		return refusedf("rendition %q: want a name of 1 to 16 of a-z, 0-9 and -, not %s or %s",
			r.Name, Public, Source)
	}
	if r.Height != 0 && (r.Height < 90 || r.Height > 2160 || r.Height%2 != 0) {
		return refusedf("rendition %s: height %d: want 0 or an even number, 90 to 2160",
			r.Name, r.Height)
	}
	if r.Bitrate != 0 && (r.Bitrate < 50_000 || r.Bitrate > 50_000_000) {
		return refusedf("rendition %s: bit rate %d: want 0 or 50000 to 50000000", r.Name, r.Bitrate)
	}
	if r.FPS < 0 || r.FPS > 120 {
		return refusedf("rendition %s: %d pictures a second: want 0 to 120", r.Name, r.FPS)
	}
	return nil
}

// IsName tells whether a name can be a rendition's.
func IsName(name string) bool {
	if name == "" || len(name) > 16 {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Settings are all that is commanded of a broadcast.
type Settings struct {
	// Version counts the changes of the key's settings, from 1.
	Version uint64
	Blur    Blur
	// Always has the public rendition processed even while nothing is blurred.
	Always bool
	// Mute replaces the sound by silence.
	Mute bool
	// Renditions are the ladder's.
	Renditions []Rendition
}

// Change is a change of settings.
type Change interface{ apply(s *Settings) error }

// SetBlur replaces the blur; one without rectangles ends it.
type SetBlur struct{ Blur Blur }

// SetPolicy says whether the public rendition is processed even while nothing is blurred.
type SetPolicy struct{ Always bool }

// SetMute mutes the sound, or ends that.
type SetMute struct{ Mute bool }

// SetRenditions replaces the ladder.
type SetRenditions struct{ Renditions []Rendition }

func (c SetBlur) apply(s *Settings) error {
	if err := c.Blur.check(); err != nil {
		return err
	}
	s.Blur = Blur{Mode: c.Blur.Mode, Rects: slices.Clone(c.Blur.Rects)}
	return nil
}

func (c SetPolicy) apply(s *Settings) error {
	s.Always = c.Always
	return nil
}

func (c SetMute) apply(s *Settings) error {
	s.Mute = c.Mute
	return nil
}

func (c SetRenditions) apply(s *Settings) error {
	if len(c.Renditions) > MaxRenditions {
		return refusedf("%d renditions, at most %d", len(c.Renditions), MaxRenditions)
	}
	for i := range c.Renditions {
		r := &c.Renditions[i]
		if err := r.check(); err != nil {
			return err
		}
		if slices.ContainsFunc(c.Renditions[:i], func(o Rendition) bool { return o.Name == r.Name }) {
			return refusedf("rendition %s comes twice", r.Name)
		}
	}
	s.Renditions = slices.Clone(c.Renditions)
	return nil
}

// Refused says what is wrong with a command.
type Refused struct{ Reason string }

// Error implements error.
func (r *Refused) Error() string { return r.Reason }

func refusedf(format string, values ...any) error {
	return &Refused{Reason: fmt.Sprintf(format, values...)}
}

// State says from when on what was commanded holds.
type State string

// The states of an answer.
const (
	// Live: it holds for every picture from PTS on, on every output.
	Live State = "live"
	// Stored: nobody publishes the key here now; it holds from the first picture of whoever does.
	Stored State = "stored"
	// Withheld: it holds from PTS on because no picture is shown from there on. Note says why.
	Withheld State = "withheld"
)

// Command asks for a change. The answer is an *Answer or a *Refused.
type Command struct {
	// ID names the command, 1 to 64 bytes: one that comes again gets the answer of the first.
	ID  string
	Key string
	// Change is what is to change.
	Change Change
}

// Answer says from when on a command holds.
type Answer struct {
	ID, Key string
	// Version is that of the settings with the change.
	Version uint64
	// Epoch is the incarnation of the broadcast that PTS is of; 0 when State is Stored.
	Epoch uint64
	State State
	// PTS is on the timeline of the broadcast, which is that of its viewers.
	PTS  media.Time
	Note string
	// Node is where it holds.
	Node string
}

// Bounds of what the actor keeps.
const (
	// MaxKeys is how many keys may have settings.
	MaxKeys = 100_000
	// Memory is how long the settings of a key are kept that nobody publishes or commands.
	Memory  = 24 * time.Hour
	maxID   = 64
	maxSeen = 64 // answers kept of each key, for commands that come again
)
