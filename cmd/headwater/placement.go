package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/cluster/control"
)

// placementCommand says where to publish and watch a broadcast.
type placementCommand struct {
	Key string `arg:"" help:"Key of the broadcast, such as live/mine."`
	queryFlags
}

// Help is the text below the command's one line.
func (*placementCommand) Help() string {
	return `Says which node takes the publisher of a key, and which give it out, the best first: ` +
		`what an application's server asks by GET /v1/placement?key=KEY before it tells an ` +
		`encoder or a player where to go.

Example:

    headwater placement live/mine`
}

// Run is called by kong.
func (c *placementCommand) Run(t *terminal) error {
	app, name, _ := cutKey(c.Key)
	key, err := listen.Key(app, name)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", c.Key, err)}
	}
	text, p, err := query[control.Placement](&c.queryFlags, http.MethodGet,
		url.Values{"key": {key}}, "v1", "placement")
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = t.stdout.Write(text)
		return err
	}
	rows := []string{"publish\t-\t" + p.Reason}
	if p.Publish != nil {
		rows[0] = "publish\t" + p.Publish.Node + "\t" + p.Publish.URL
	}
	for _, w := range p.Watch {
		at := w.FLV
		if at == "" {
			at = w.RTMP
		}
		rows = append(rows, fmt.Sprintf("watch\t%s\t%s\tweight %d", w.Node, at, w.Weight))
	}
	return table(t.stdout, rows)
}
