package control

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/headwater-live/headwater/actors/settings"
)

// The bodies of the commands. What must be said is a pointer: left out, it would be taken for a
// zero that nobody meant.
type (
	blurBody struct {
		ID    string      `json:"id,omitempty"`
		Mode  string      `json:"mode,omitempty"`
		Rects *[]rectBody `json:"rects,omitempty"`
		Off   bool        `json:"off,omitempty"`
	}
	rectBody struct {
		X *float64 `json:"x"`
		Y *float64 `json:"y"`
		W *float64 `json:"w"`
		H *float64 `json:"h"`
	}
	policyBody struct {
		ID     string `json:"id,omitempty"`
		Always *bool  `json:"always"`
	}
	muteBody struct {
		ID   string `json:"id,omitempty"`
		Mute *bool  `json:"mute"`
	}
	renditionsBody struct {
		ID         string       `json:"id,omitempty"`
		Renditions *[]Rendition `json:"renditions"`
	}
)

// Blur is what is made unreadable in a picture.
type Blur struct {
	Off   bool   `json:"off"`
	Mode  string `json:"mode"`
	Rects []Rect `json:"rects"`
}

// Rect is a rectangle in fractions of the picture, from the left and from the top.
type Rect struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// Rendition is one form of a broadcast's picture.
type Rendition struct {
	Name    string `json:"name"`
	Height  int    `json:"height"`
	Bitrate int    `json:"bitrate_bps"`
	FPS     int    `json:"fps"`
}

// Settings are what is commanded of a broadcast.
type Settings struct {
	Key        string      `json:"key"`
	Version    uint64      `json:"version"`
	Blur       Blur        `json:"blur"`
	Always     bool        `json:"always"`
	Mute       bool        `json:"mute"`
	Renditions []Rendition `json:"renditions"`
}

// Answer says from when on a command holds.
type Answer struct {
	ID      string         `json:"id"`
	Key     string         `json:"key"`
	Version uint64         `json:"version"`
	Epoch   uint64         `json:"epoch"`
	State   settings.State `json:"state"`
	PTS     int64          `json:"pts_ms"`
	Note    string         `json:"note"`
	// Node is where it holds.
	Node string `json:"node"`
}

// malformed says that a command's body lacks what it has to say.
func malformed(format string, values ...any) error {
	return faulty(http.StatusBadRequest, fmt.Errorf(format, values...))
}

func (b *blurBody) change() (id string, c settings.Change, err error) {
	switch {
	case b.Off && b.Rects != nil && len(*b.Rects) > 0:
		return "", nil, malformed("off is set, and there are %d rects: which of them?", len(*b.Rects))
	case b.Rects == nil && !b.Off:
		return "", nil, malformed("rects is missing; want rectangles, or off to be true")
	}
	mode, err := settings.ParseMode(b.Mode)
	if err != nil {
		return "", nil, err
	}
	blur := settings.Blur{Mode: mode}
	if b.Rects != nil {
		for i, r := range *b.Rects {
			if r.X == nil || r.Y == nil || r.W == nil || r.H == nil {
				return "", nil, malformed("rects[%d]: want all of x, y, w and h", i)
			}
			blur.Rects = append(blur.Rects, settings.Rect{X: *r.X, Y: *r.Y, W: *r.W, H: *r.H})
		}
	}
	return b.ID, settings.SetBlur{Blur: blur}, nil
}

func (b *policyBody) change() (id string, c settings.Change, err error) {
	if b.Always == nil {
		return "", nil, faulty(http.StatusBadRequest, errors.New("always is missing"))
	}
	return b.ID, settings.SetPolicy{Always: *b.Always}, nil
}

func (b *muteBody) change() (id string, c settings.Change, err error) {
	if b.Mute == nil {
		return "", nil, faulty(http.StatusBadRequest, errors.New("mute is missing"))
	}
	return b.ID, settings.SetMute{Mute: *b.Mute}, nil
}

func (b *renditionsBody) change() (id string, c settings.Change, err error) {
	if b.Renditions == nil {
		return "", nil, faulty(http.StatusBadRequest, errors.New("renditions is missing"))
	}
	var all []settings.Rendition
	for _, r := range *b.Renditions {
		all = append(all, settings.Rendition(r))
	}
	return b.ID, settings.SetRenditions{Renditions: all}, nil
}

func describeSettings(key string, s *settings.Settings) *Settings {
	out := &Settings{
		Key: key, Version: s.Version, Always: s.Always, Mute: s.Mute, Renditions: []Rendition{},
		Blur: Blur{
			Off: len(s.Blur.Rects) == 0, Mode: s.Blur.Mode.String(), Rects: []Rect{},
		},
	}
	for _, r := range s.Blur.Rects {
		out.Blur.Rects = append(out.Blur.Rects, Rect(r))
	}
	for _, r := range s.Renditions {
		out.Renditions = append(out.Renditions, Rendition(r))
	}
	return out
}

func describeAnswer(a *settings.Answer) *Answer {
	return &Answer{
		ID: a.ID, Key: a.Key, Version: a.Version, Epoch: a.Epoch, State: a.State,
		PTS: a.PTS.Millis(), Note: a.Note, Node: a.Node,
	}
}
