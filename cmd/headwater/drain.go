package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/headwater-live/headwater/cluster/control"
)

// drainCommand has a node take nobody new.
type drainCommand struct {
	Node string `arg:"" optional:"" help:"Name of the node; that of --url when omitted."`
	Move bool   `help:"Have its publishers go to other nodes too."`
	Stop bool   `help:"Have its process end once nothing is left on it."`
	Wait bool   `help:"Wait until nothing is left on it."`
	Off  bool   `help:"Have it take publishers and viewers again."`
	queryFlags
}

// Help is the text below the command's one line.
func (*drainCommand) Help() string {
	return `A draining node refuses new publishers, naming a node that takes them, and new ` +
		`viewers; those that it has are let go over five seconds, to connect elsewhere. What other ` +
		`nodes follow here, or have it as a standby for, goes to others. Its broadcasts go on until ` +
		`their publishers leave; with --move these are told to, over five seconds too, and each is ` +
		`let go five seconds later. The process stays: have it end with --stop, or have it go on ` +
		`with --off.

Example:

    headwater drain origin-1 --move --wait`
}

// drainPause is how often a node is asked whether it is empty.
const drainPause = 500 * time.Millisecond

// Run is called by kong.
func (c *drainCommand) Run(t *terminal) error {
	order := url.Values{}
	for name, on := range map[string]bool{"move": c.Move, "stop": c.Stop} {
		if on {
			order.Set(name, "1")
		}
		if on && c.Off {
			return usageError{fmt.Errorf("--off and --%s: which of them?", name)}
		}
	}
	if c.Off && c.Wait {
		return usageError{errors.New("--off and --wait: which of them?")}
	}
	if err := c.name(); err != nil {
		return err
	}
	method := http.MethodPost
	if c.Off {
		method = http.MethodDelete
	}
	for {
		text, d, err := query[control.Draining](&c.queryFlags, method, order,
			"v1", "nodes", c.Node, "drain")
		if err != nil && method == http.MethodGet && c.Stop {
			_, err = fmt.Fprintln(t.stdout, c.Node+" has ended")
			return err
		}
		if err != nil {
			return err
		}
		if c.Wait && (!d.Empty || c.Stop) {
			method, order = http.MethodGet, nil
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

// name finds out which node is meant by none.
func (c *drainCommand) name() error {
	if c.Node != "" {
		return nil
	}
	_, nodes, err := query[control.Nodes](&c.queryFlags, http.MethodGet, nil, "v1", "nodes")
	c.Node = nodes.Self
	return err
}

// drainSentence says what is left on a node.
func drainSentence(d *control.Draining) string {
	switch {
	case d.Empty:
		return d.Node + " is empty"
	case d.State != "draining":
		return d.Node + " is " + d.State
	}
	text := fmt.Sprintf("%s is draining; broadcasts left: %d, viewers: %d", d.Node, d.Broadcasts,
		d.Viewers)
	if d.Feeds > 0 {
		text += fmt.Sprintf(", followed by other nodes: %d", d.Feeds)
	}
	if d.Standbys > 0 {
		text += fmt.Sprintf(", standby for: %d", d.Standbys)
	}
	return text
}
