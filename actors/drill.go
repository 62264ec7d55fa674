package actors

import (
	"errors"
	"fmt"
	"strings"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/supervise"
)

// Errors of what is asked of a node.
var (
	// ErrNotFound says that what is asked for is not here.
	ErrNotFound = errors.New("not found")
	// ErrDrill says that there is no such drill.
	ErrDrill = errors.New("no such drill")
)

// The drills.
const (
	drillCrash    = "crash"
	drillSegfault = "segfault"
)

// Drill makes an actor of the tree fail, by its path from the root, such as
// node/broadcasts/broadcast/live/a.1/gate. A crash is a panic of the actor; a segfault is one of a
// process actor's child, if it has one and drills are allowed.
func (n *Node) Drill(path, kind string) error {
	system := n.tree.system
	if _, here := system.ProcessRegistry.GetLocal(path); !here ||
		path != nodeName && !strings.HasPrefix(path, nodeName+"/") {
		return fmt.Errorf("%w: actor %q", ErrNotFound, path)
	}
	pid := system.NewLocalPID(path)
	switch kind {
	case drillCrash:
		system.Root.Send(pid, &supervise.Crash{Reason: "asked for"})
	case drillSegfault:
		system.Root.Send(pid, &process.Segfault{})
	default:
		return fmt.Errorf("%w: %q; want %s or %s", ErrDrill, kind, drillCrash, drillSegfault)
	}
	return nil
}
