// Command headwater runs nodes of the Headwater live-streaming runtime and looks at them.
package main

import (
	"os"
	"runtime/debug"

	"github.com/headwater-live/headwater/actors"
)

// gcPercent keeps half of what lives as room for garbage, not as much again: what lives is rings
// and viewers, megabytes a second are allocated at the most, so that collecting twice as often
// costs next to nothing and a node with many viewers is a quarter smaller. The environment's GOGC
// overrides it.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(Main(os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr, Parts{
		Run: runNode, Declared: actors.DrawDeclared,
	}))
}
