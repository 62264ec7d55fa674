package main

import (
	"os"

	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/snapshot"
)

// The hidden commands of child processes: one runs a rendition's pictures, one makes a snapshot.
const (
	childCommand    = "process-child"
	snapshotCommand = "snapshot-child"
)

// childNice is by how much such a process steps back for the node, whose other work is what every
// viewer waits for.
const childNice = 5

// processChildCommand is given by a node alone, never by people.
type processChildCommand struct{}

// Run is called by kong.
func (processChildCommand) Run() error {
	return process.Child(os.NewFile(process.ChildSocket, "socket"))
}

// snapshotChildCommand is given by a node alone, never by people.
type snapshotChildCommand struct{}

// Run is called by kong.
func (snapshotChildCommand) Run(t *terminal) error { return snapshot.Child(os.Stdin, t.stdout) }
