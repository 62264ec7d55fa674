package process

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/av"
)

// Options make a process actor.
type Options struct {
	// Key and Epoch name the broadcast, Name the rendition.
	Key, Name string
	Epoch     uint64
	// Source is the topic that is decoded, Gate who gets what was made of it.
	Source, Gate *actor.PID
	// Rendition says how large the pictures are, and what they may cost. A zero Height is the
	// source's size, a zero Bitrate follows the source's.
	Rendition settings.Rendition
	// Slots bound the pictures that the node works on at a time. Nil means no bound.
	Slots *Slots
	// Limits bound the pictures that are decoded.
	Limits av.Limits
	// Preset is the encoder's; "" is its default.
	Preset string
	// Isolation says where the pipeline runs.
	Isolation Isolation
	// Queue bounds the units that wait; a zero field is DefaultQueue's.
	Queue Queue
	// Deadline is how long one unit may take before the actor fails; 0 means DefaultDeadline.
	Deadline time.Duration
	// Drills lets Segfault do its work.
	Drills bool
	// Metrics count; they are the node's.
	Metrics *Metrics

	unhurried bool // nothing is late: for tests that count pictures on a busy machine
}

// DefaultDeadline is when a worker that is busy with one unit is given up. It is far beyond what a
// picture costs on a loaded machine.
const DefaultDeadline = 2 * time.Second

// Queue bounds what waits to be decoded. When it is full, all of it is dropped up to the next IDR
// picture.
type Queue struct{ Units, Bytes int }

// DefaultQueue holds the group of pictures that a subscription begins with.
func DefaultQueue() Queue { return Queue{Units: 1024, Bytes: 32 << 20} }

// Isolation says where a pipeline runs.
type Isolation struct {
	// Process runs it in a child process; otherwise it runs in this one.
	Process bool
	// Command is the child's command line, which must come to Child: the binary and its hidden
	// command. It is needed with Process.
	Command []string
	// Memory bounds the child's private memory, in bytes (RLIMIT_DATA); 0 means DefaultMemory.
	Memory int64
	// Nice is by how much the child steps back for the node's other work: 0 to 19.
	Nice int
}

// DefaultMemory is the bound of a child's private memory. A 1080p rendition needs less than 150 MB
// with the runtime and its threads' stacks.
const DefaultMemory = 512 << 20
