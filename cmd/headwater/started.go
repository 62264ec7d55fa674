package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/snapshot"
)

// startedNode is a node that may be asked a moment before it is there: its sockets are open first.
type startedNode struct {
	atomic.Pointer[actors.Node]
	ends atomic.Bool // once it is empty
}

var errStarting = errors.New("the node is starting")

// node returns the node, once it is there.
func (n *startedNode) node() (*actors.Node, error) {
	if node := n.Load(); node != nil {
		return node, nil
	}
	return nil, errStarting
}

// Broadcasts implements control.Node.
func (n *startedNode) Broadcasts() ([]actors.Broadcast, error) {
	node, err := n.node()
	if err != nil {
		return nil, err
	}
	return node.Broadcasts()
}

// DrawTree implements control.Node.
func (n *startedNode) DrawTree(w io.Writer, limit int) error {
	node, err := n.node()
	if err != nil {
		return err
	}
	return node.DrawTree(w, limit)
}

// Command implements control.Node.
func (n *startedNode) Command(
	ctx context.Context, c settings.Command,
) (settings.Answer, error) {
	node, err := n.node()
	if err != nil {
		return settings.Answer{}, err
	}
	return node.Command(ctx, c)
}

// Settings implements control.Node.
func (n *startedNode) Settings(ctx context.Context, key string) (settings.Settings, error) {
	node, err := n.node()
	if err != nil {
		return settings.Settings{}, err
	}
	return node.Settings(ctx, key)
}

// Snapshot implements control.Node.
func (n *startedNode) Snapshot(
	ctx context.Context, key, rendition string,
) (*snapshot.Picture, error) {
	node, err := n.node()
	if err != nil {
		return nil, err
	}
	return node.Snapshot(ctx, key, rendition)
}

// Loudness implements control.Node.
func (n *startedNode) Loudness(ctx context.Context, key string) (*loudness.Report, error) {
	node, err := n.node()
	if err != nil {
		return nil, err
	}
	return node.Loudness(ctx, key)
}

// Drill implements control.Node.
func (n *startedNode) Drill(path, kind string) error {
	node, err := n.node()
	if err != nil {
		return err
	}
	return node.Drill(path, kind)
}

// Drain implements control.Drainer.
func (n *startedNode) Drain(order actors.DrainOrder) {
	if node, err := n.node(); err == nil {
		node.Drain(order)
	}
}

// StopWhenEmpty implements control.Drainer.
func (n *startedNode) StopWhenEmpty(on bool) { n.ends.Store(on) }

const (
	// emptyPause is how often it is looked whether a node that is to end is empty, and emptyTimes
	// how often it has to be in a row: a viewer who is being moved in is nowhere for a moment.
	emptyPause = 250 * time.Millisecond
	emptyTimes = 2
)

// awaitEmpty closes emptied once the node is to end when it is empty, and is.
func (n *startedNode) awaitEmpty(
	ctx context.Context, empty func(context.Context) bool, emptied chan<- struct{},
) {
	tick := time.NewTicker(emptyPause)
	defer tick.Stop()
	for times := 0; times < emptyTimes; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if times++; !n.ends.Load() || !empty(ctx) {
			times = 0
		}
	}
	close(emptied)
}

// Drained implements control.Drainer.
func (n *startedNode) Drained() (d actors.Drained) {
	if node, err := n.node(); err == nil {
		d = node.Drained()
	}
	return d
}
