package config

// Processing is how pictures and sound are worked on.
type Processing struct {
	Policy    ProcessingPolicy `name:"policy" default:"when-asked" oneof:"when-asked,always"`
	Isolation Isolation        `name:"isolation" default:"in-process" oneof:"in-process,process"`
	// Slots 0 is as many as there are cores.
	Slots  int    `name:"slots" default:"0" range:"0..1024"`
	Memory Size   `name:"memory" default:"512MiB" range:"64MiB..16GiB"`
	Preset Preset `name:"preset" default:"superfast" oneof:"ultrafast,superfast,veryfast,faster,fast"`
	Hybrid bool   `name:"hybrid" default:"false" negatable:""`
	// Loudness has the sound decoded, which costs little and no delay.
	Loudness bool `name:"loudness" default:"true" negatable:""`
	// MaxSide holds for width and height alike, as a phone turns its picture while it publishes.
	MaxSide int `name:"max-side" default:"2560" range:"64..4096"`
	// MaxPixels is 2560x1440 and a little more by default. A decoder takes memory for a dozen
	// pictures and more of the size that a publisher states, before it has seen one.
	MaxPixels int `name:"max-pixels" default:"4194304" range:"4096..9437184"`
}

// ProcessingPolicy says when the public picture of a broadcast is processed.
type ProcessingPolicy string

// The policies.
const (
	WhenAsked ProcessingPolicy = "when-asked" // while something is blurred
	Always    ProcessingPolicy = "always"
)

// Isolation says where pictures are processed.
type Isolation string

// Where pictures are processed.
const (
	InProcess Isolation = "in-process"
	InChild   Isolation = "process" // in a child process for each rendition
)

// Preset is how much the encoder takes pains.
type Preset string
