package process

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// Order tells a process actor what to put out. The latest one holds in full. The gate sends it in
// answer to a Hello, and whenever something changes.
type Order struct {
	// Version is that of the settings; each Output is tagged with it.
	Version uint64
	// Regions are made unreadable, in the way of Mode, on every picture.
	Regions []settings.Rect
	Mode    settings.Mode
	// Emit has pictures encoded. Without it the actor keeps warm: it decodes, and retains the newest
	// few pictures.
	Emit bool
	// From is the first PTS that is put out. Pictures that were retained since then come first; the
	// first of all is an IDR picture.
	From media.Time
	// Refresh asks for an IDR picture when it has grown.
	Refresh uint64
	// Mask makes the whole picture solid.
	Mask bool
}

// Hello tells the gate that a process actor has begun and needs its Order.
type Hello struct {
	Name        string
	Incarnation uint64
	PID         *actor.PID
}

// Ready tells the gate that decoding has caught up with the source. It comes once an incarnation.
type Ready struct {
	Name        string
	Incarnation uint64
}

// Applied tells the gate that every Output of this incarnation with a PTS of From or later was
// filtered as the Order of Version says. It answers every Order, and comes before such an Output.
type Applied struct {
	Name                 string
	Incarnation, Version uint64
	From                 media.Time
}

// Output is one access unit of the rendition.
type Output struct {
	Name        string
	Incarnation uint64
	// Seq counts the incarnation's outputs from 1, so that the gate notices one that was dropped.
	Seq uint64
	// Version is that of the Order under which the picture was filtered.
	Version uint64
	// Unit is a legacy AVC packet of Role Keyframe (always an IDR picture) or Frame. Its PTS is the
	// source's. Its DTS is earlier by the composition offset of the source's latest keyframe, and
	// only rises.
	Unit media.AccessUnit
	// Record is the AVCDecoderConfigurationRecord, the same slice while it is the same. Where it
	// changes the unit is an IDR picture.
	Record []byte
	// Masked says that the whole picture was made solid.
	Masked bool
	// Took is what decoding, filtering and encoding cost, as time on the clock.
	Took time.Duration
}

// Droppable lets a full mailbox drop the output; the gate then asks for an IDR picture.
func (*Output) Droppable() {}

// Fault tells the gate why no picture comes. The next Output ends it.
type Fault struct {
	Name        string
	Incarnation uint64
	Reason      string
}

// Segfault makes the child process that runs the actor's pipeline touch memory that it must not, in
// C. It is a drill, obeyed only where Options.Drills is set and the pipeline runs in a child.
type Segfault struct{}
