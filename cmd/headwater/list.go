package main

import (
	"fmt"
	"net/http"

	"github.com/headwater-live/headwater/cluster/control"
)

// listCommand lists the broadcasts of a cluster.
type listCommand struct{ queryFlags }

// Help is the text below the command's one line.
func (*listCommand) Help() string {
	return `Each line is a broadcast on a node: its state (live, or grace while the publisher is ` +
		`awaited), the node and as what it has it, the node that takes over if that one dies, and ` +
		`the viewers on it.

Example:

    headwater ls --url http://127.0.0.1:8080`
}

// Run is called by kong.
func (c *listCommand) Run(t *terminal) error {
	text, listing, err := query[control.Listing](&c.queryFlags, http.MethodGet, nil,
		"v1", "broadcasts")
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = t.stdout.Write(text)
		return err
	}
	rows := []string{"KEY\tSTATE\tNODE\tROLE\tSTANDBY\tEPOCH\tVIEWERS\tVIDEO\tAUDIO"}
	for _, b := range listing.Broadcasts {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s", b.Key, b.State,
			dash(b.Node), dash(b.Role), dash(b.Standby), b.Epoch, b.Viewers, dash(b.Video),
			dash(b.Audio)))
	}
	return table(t.stdout, rows)
}
