package main

import (
	"os"

	"github.com/headwater-live/headwater/actors/process"
)

// childCommand is the hidden command that runs one rendition's pictures in a process of their own.
const childCommand = "process-child"

// childNice is by how much such a process steps back for the node, whose other work is what every
// viewer waits for.
const childNice = 5

// processChildCommand is given by a node alone, never by people.
type processChildCommand struct{}

// Run is called by kong.
func (processChildCommand) Run() error {
	return process.Child(os.NewFile(process.ChildSocket, "socket"))
}
