package config

// Config is everything that can be set, section by section. What each setting does stands in
// help.go.
//
// Tags: name is the last part of the key and default its text; range gives both ends, included, of
// what is taken, oneof all values. The other tags are for the command line.
type Config struct {
	Node       Node       `embed:"" prefix:"node."`
	RTMP       RTMP       `embed:"" prefix:"rtmp."`
	HTTP       HTTP       `embed:"" prefix:"http."`
	Link       Link       `embed:"" prefix:"link."`
	Cluster    Cluster    `embed:"" prefix:"cluster."`
	Publish    Publish    `embed:"" prefix:"publish."`
	Viewer     Viewer     `embed:"" prefix:"viewer."`
	Edge       Edge       `embed:"" prefix:"edge."`
	Topic      Topic      `embed:"" prefix:"topic."`
	Processing Processing `embed:"" prefix:"processing."`
	Limits     Limits     `embed:"" prefix:"limits."`
	Stop       Stop       `embed:"" prefix:"stop."`
	Log        Log        `embed:"" prefix:"log."`
}

// Node says who this process is.
type Node struct {
	// Name is never empty after Load.
	Name  string `name:"name" default:"" placeholder:"NAME"`
	Roles Roles  `name:"roles" default:"origin,edge"`
	// Advertise is empty for what the connection to etcd shows.
	Advertise string `name:"advertise" default:"" placeholder:"HOST"`
}

// RTMP is where publishers and viewers connect by RTMP. At least one address is not empty.
type RTMP struct {
	Listen    Address `name:"listen" default:":1935"`
	TLSListen Address `name:"tls-listen" default:"" placeholder:"ADDRESS"`
	// TLSCert and TLSKey are paths of PEM files, set together with TLSListen.
	TLSCert string `name:"tls-cert" default:"" placeholder:"FILE"`
	TLSKey  string `name:"tls-key" default:"" placeholder:"FILE"`
}

// HTTP is where viewers connect by HTTP, and what operators look at.
type HTTP struct {
	Listen Address `name:"listen" default:":8080"`
}

// Publish is what holds for publishers.
type Publish struct {
	Policy Policy   `name:"policy" default:"takeover" oneof:"takeover,reject"`
	Grace  Duration `name:"grace" default:"30s" range:"0s..1h"`
}

// Policy decides between two publishers of one key.
type Policy string

// The policies.
const (
	Takeover Policy = "takeover" // the newer publisher wins
	Reject   Policy = "reject"   // the older publisher wins
)

// Viewer is what holds for each viewer.
type Viewer struct {
	Wait        Duration    `name:"wait" default:"30s" range:"0s..1h"`
	MergeWindow MergeWindow `name:"merge-window" default:"adaptive"`
	MaxBehind   Duration    `name:"max-behind" default:"3s" range:"500ms..1m"`
	MaxStall    Duration    `name:"max-stall" default:"10s" range:"1s..10m"`
	// MaxSkips is per minute.
	MaxSkips   int      `name:"max-skips" default:"10" range:"0..1000"`
	Linger     Duration `name:"linger" default:"10s" range:"0s..10m"`
	SendBuffer Size     `name:"send-buffer" default:"256KiB" range:"16KiB..16MiB"`
}

// Topic bounds what a node keeps of each broadcast for its viewers. Whichever bound is reached
// first holds.
type Topic struct {
	Time  Duration `name:"time" default:"8s" range:"1s..5m"`
	Bytes Size     `name:"bytes" default:"32MiB" range:"1MiB..4GiB"`
}

// Limits bound what peers can make a node do.
type Limits struct {
	Connections int `name:"connections" default:"20000" range:"1..1000000"`
	// PerAddress 0 is no limit.
	PerAddress  int      `name:"connections-per-address" default:"5000" range:"0..1000000"`
	Negotiating int      `name:"negotiating" default:"1000" range:"1..100000"`
	Handshake   Duration `name:"handshake" default:"10s" range:"1s..1m"`
	Idle        Duration `name:"idle" default:"30s" range:"1s..1h"`
	Message     Size     `name:"message" default:"8MiB" range:"64KiB..15MiB"`
	// Broadcasts 0 is no limit.
	Broadcasts int `name:"broadcasts" default:"0" range:"0..100000"`
}

// Stop is how a node ends.
type Stop struct {
	Deadline Duration `name:"deadline" default:"10s" range:"0s..10m"`
}

// Log is what a node writes to standard error.
type Log struct {
	Level  string `name:"level" default:"info" oneof:"debug,info,warn,error"`
	Format string `name:"format" default:"text" oneof:"text,json"`
}
