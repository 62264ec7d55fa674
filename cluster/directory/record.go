package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Protocol is the version of what nodes say to each other.
const Protocol = 1

// Node is the record of one.
type Node struct {
	Name string `json:"name"`
	// ID is another one in each process of that name.
	ID       string   `json:"id"`
	Version  string   `json:"version"`
	Protocol int      `json:"protocol"`
	Roles    []string `json:"roles"`
	// Where others reach it, host:port each, or empty.
	Link    string `json:"link,omitempty"`
	Control string `json:"control,omitempty"`
	HTTP    string `json:"http,omitempty"`
	RTMP    string `json:"rtmp,omitempty"`
	State   Status `json:"state"`
	// Limit is how many broadcasts it takes; 0 sets none.
	Limit int       `json:"limit,omitempty"`
	Load  Load      `json:"load"`
	Since time.Time `json:"since"`
}

// Roles of a node.
const (
	RoleOrigin = "origin"
	RoleEdge   = "edge"
)

// Status is whether a node takes anybody new.
type Status string

// The states.
const (
	Ready    Status = "ready"
	Draining Status = "draining"
)

// Load is how busy a node is.
type Load struct {
	// CPU and Memory are shares, 0 to 1.
	CPU        float64 `json:"cpu"`
	Memory     float64 `json:"memory"`
	Broadcasts int     `json:"broadcasts"`
	Viewers    int     `json:"viewers"`
	// Egress is in bytes a second.
	Egress int64 `json:"egress"`
}

// Has tells whether the node has a role.
func (n *Node) Has(role string) bool { return slices.Contains(n.Roles, role) }

// Full tells whether the node takes no further broadcast.
func (n *Node) Full() bool { return n.Limit > 0 && n.Load.Broadcasts >= n.Limit }

// Role is as what a node carries a broadcast.
type Role string

// The roles.
const (
	// Active has the publisher, or awaits it.
	Active Role = "active"
	// Standby mirrors what leaves the active.
	Standby Role = "standby"
	// Backup has a second connection of the same publisher.
	Backup Role = "backup"
)

// Broadcast is the record of one on a node.
type Broadcast struct {
	Key        string   `json:"-"`
	Node       string   `json:"-"`
	Role       Role     `json:"role"`
	Epoch      uint64   `json:"epoch"`
	Publishing bool     `json:"publishing"`
	Standby    string   `json:"standby,omitempty"`
	Renditions []string `json:"renditions,omitempty"`
}

// Epoch is the record of the highest that was granted.
type Epoch struct {
	Epoch uint64 `json:"epoch"`
	Node  string `json:"node"`
}

// keptSettings is the record of what is commanded of a broadcast.
type keptSettings struct {
	Version  uint64          `json:"version"`
	Settings json.RawMessage `json:"settings"`
}

// Bounds of records. Whoever has etcd's password can write anything.
const (
	recordMax     = 16 << 10
	SettingsMax   = 256 << 10
	keyMax        = 512
	nameMax       = 64
	textMax       = 256
	renditionsMax = 32
)

// ErrRecord says that a record is none.
var ErrRecord = errors.New("not a record")

// decode reads one JSON value and nothing behind it. What it does not know it leaves out: nodes of
// the next version write more.
func decode(data []byte, limit int, into any) error {
	if len(data) > limit {
		return fmt.Errorf("%w: %d bytes are more than %d", ErrRecord, len(data), limit)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows", ErrRecord)
	}
	return nil
}

func encode(record any) []byte {
	data, err := json.Marshal(record)
	if err != nil { // no record has a field that could not be written
		panic(err)
	}
	return data
}

// decodeNode reads the record of the node of that name.
func decodeNode(name string, data []byte) (*Node, error) {
	n := &Node{}
	if err := decode(data, recordMax, n); err != nil {
		return nil, err
	}
	if n.Name != name {
		return nil, fmt.Errorf("%w: of node %q, not %q", ErrRecord, n.Name, name)
	}
	return n, n.valid()
}

func (n *Node) valid() error {
	if err := validNode(n.Name); err != nil {
		return err
	}
	for _, text := range []string{n.ID, n.Version} {
		if len(text) > textMax || !utf8.ValidString(text) {
			return fmt.Errorf("%w: id or version", ErrRecord)
		}
	}
	for _, address := range []string{n.Link, n.Control, n.HTTP, n.RTMP} {
		if address != "" && !validAddress(address) {
			return fmt.Errorf("%w: address %.64q", ErrRecord, address)
		}
	}
	share := func(f float64) bool { return f >= 0 && f <= 1 }
	l := &n.Load
	switch {
	case n.ID == "", n.Protocol < 0, len(n.Roles) > 8, n.Limit < 0:
		return fmt.Errorf("%w: id, protocol, roles or limit", ErrRecord)
	case n.State != Ready && n.State != Draining:
		return fmt.Errorf("%w: state %.64q", ErrRecord, n.State)
	case !share(l.CPU), !share(l.Memory), l.Broadcasts < 0, l.Viewers < 0, l.Egress < 0:
		return fmt.Errorf("%w: load", ErrRecord)
	}
	return nil
}

// decodeBroadcast reads the record of what a node carries.
func decodeBroadcast(key, node string, data []byte) (*Broadcast, error) {
	b := &Broadcast{}
	if err := decode(data, recordMax, b); err != nil {
		return nil, err
	}
	b.Key, b.Node = key, node
	if b.Role != Active && b.Role != Standby && b.Role != Backup {
		return nil, fmt.Errorf("%w: role %.64q", ErrRecord, b.Role)
	}
	if b.Epoch == 0 || b.Epoch > epochMax || len(b.Renditions) > renditionsMax {
		return nil, fmt.Errorf("%w: epoch or renditions", ErrRecord)
	}
	if b.Standby != "" && validNode(b.Standby) != nil {
		return nil, fmt.Errorf("%w: standby %.64q", ErrRecord, b.Standby)
	}
	for _, r := range b.Renditions {
		if validNode(r) != nil {
			return nil, fmt.Errorf("%w: rendition %.64q", ErrRecord, r)
		}
	}
	return b, nil
}

// epochMax leaves room above every epoch: one that nothing can follow would end its key for good.
// It is the year 10889 in milliseconds.
const epochMax = 1 << 48

func decodeEpoch(data []byte) (*Epoch, error) {
	e := &Epoch{}
	if err := decode(data, recordMax, e); err != nil {
		return nil, err
	}
	if e.Epoch == 0 || e.Epoch > epochMax || validNode(e.Node) != nil {
		return nil, fmt.Errorf("%w: epoch %d of node %.64q", ErrRecord, e.Epoch, e.Node)
	}
	return e, nil
}

// validNode holds a node's name to what the configuration takes. Renditions are named alike.
func validNode(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if name == "" || len(name) > nameMax || strings.Trim(name, letters) != "" {
		return fmt.Errorf("%w: node %.64q", ErrRecord, name)
	}
	return nil
}

func validKey(key string) error {
	if key == "" || len(key) > keyMax || !utf8.ValidString(key) {
		return fmt.Errorf("%w: key %.64q", ErrRecord, key)
	}
	return nil
}

func validAddress(address string) bool {
	i := strings.LastIndexByte(address, ':')
	if i <= 0 || len(address) > textMax || !utf8.ValidString(address) {
		return false
	}
	_, err := strconv.ParseUint(address[i+1:], 10, 16)
	return err == nil && !strings.ContainsAny(address, " /\"\\\n")
}
