package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/headwater-live/headwater/cluster/control"
)

// drainCommand has a node take nobody new.
type drainCommand struct {
	Node string `arg:"" help:"Name of the node."`
	Wait bool   `help:"Wait until nothing is left on it."`
	Off  bool   `help:"Have it take publishers and viewers again."`
	queryFlags
}

// Help is the text below the command's one line.
func (*drainCommand) Help() string {
	return `A draining node refuses new publishers, naming a node that takes them, and new ` +
		`viewers; those that it has are let go over five seconds, to connect elsewhere. Its ` +
		`broadcasts go on until their publishers leave. The process stays: stop it once it is ` +
		`empty, or have it go on with --off.

Example:

    headwater drain origin-1 --wait`
}

// drainPause is how often a node is asked whether it is empty.
const drainPause = 500 * time.Millisecond

// Run is called by kong.
func (c *drainCommand) Run(t *terminal) error {
	method := http.MethodPost
	if c.Off {
		method = http.MethodDelete
	}
	if c.Off && c.Wait {
		return usageError{errors.New("--off and --wait: which of them?")}
	}
	for {
		text, d, err := query[control.Draining](&c.queryFlags, method, nil,
			"v1", "nodes", c.Node, "drain")
		if err != nil {
			return err
		}
		if c.Wait && !d.Empty {
			method = http.MethodGet
			<-time.After(drainPause)
			continue
		}
		if c.JSON {
			_, err = t.stdout.Write(text)
			return err
		}
		_, err = fmt.Fprintln(t.stdout, drainSentence(&d))
		return err
	}
}

// drainSentence says what is left on a node.
func drainSentence(d *control.Draining) string {
	switch {
	case d.Empty:
		return d.Node + " is empty"
	case d.State != "draining":
		return d.Node + " is " + d.State
	}
	return fmt.Sprintf("%s is draining; broadcasts left: %d, viewers: %d", d.Node, d.Broadcasts,
		d.Viewers)
}
