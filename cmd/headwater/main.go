// Command headwater runs nodes of the Headwater live-streaming runtime and looks at them.
package main

import (
	"os"

	"github.com/headwater-live/headwater/actors"
)

func main() {
	os.Exit(Main(os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr, Parts{
		Run: runNode, Declared: actors.DrawDeclared,
	}))
}
