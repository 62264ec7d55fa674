// Package settings keeps what was commanded of each broadcast.
package settings

import "fmt"

// Mode is what a blur does to its regions.
type Mode uint8

// The modes.
const (
	Pixelate Mode = iota
	Box
	Gaussian
	Solid
)

// String returns the word of the API.
func (m Mode) String() string {
	switch m {
	case Box:
		return "box"
	case Gaussian:
		return "gaussian"
	case Pixelate:
		return "pixelate"
	case Solid:
		return "solid"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// MaxRects bounds the regions of a blur.
const MaxRects = 16

// Rect is a rectangle in fractions of the picture, from 0 to 1.
type Rect struct{ X, Y, W, H float64 }

// Blur is what is to be made unreadable. Without Rects it is off.
type Blur struct {
	Mode  Mode
	Rects []Rect
}

// Rendition is one size of the ladder.
type Rendition struct {
	Name    string
	Height  int // of the shorter side, for example 480
	Bitrate int // bits a second
	FPS     int // 0: the source's
}

// Settings are all that was commanded of a key.
type Settings struct {
	Version    uint64
	Blur       Blur
	Always     bool // policy: public is the processed rendition always
	Mute       bool
	Renditions []Rendition
}
