package snapshot

import (
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// Take asks for a snapshot. The answer is a *Picture, or a *Refused.
type Take struct {
	Key, Rendition string
	// Unit is the picture to show, with its sequence header.
	Unit *topic.Unit
	// Version is that of the settings that the picture was filtered under, and Floor the least that
	// may be shown now: an earlier snapshot that has less is not given out.
	Version, Floor uint64
}

// Picture is a snapshot. Nobody changes it.
type Picture struct {
	JPEG          []byte
	Width, Height int
	// Epoch and Seq say which unit of the rendition it shows, and PTS when that is due.
	Epoch, Seq uint64
	PTS        media.Time
	version    uint64
}

// Refused says why there is no snapshot.
type Refused struct{ Reason string }

// Error implements error.
func (r *Refused) Error() string { return r.Reason }

// made is the outcome of a job.
type made struct {
	of      *job
	picture *Picture
	err     error
}

// sweep is the time to forget what nobody has asked for.
type sweep struct{ of *photographer }
