package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/headwater-live/headwater/cluster/control"
)

// nodesCommand lists the nodes of a cluster.
type nodesCommand struct{ queryFlags }

// Help is the text below the command's one line.
func (*nodesCommand) Help() string {
	return `Each line is a node: its roles, whether it is ready or draining, how busy its CPU and ` +
		`memory are, how many broadcasts and viewers it has, and where others reach it.

Example:

    headwater nodes --url http://127.0.0.1:8080`
}

// Run is called by kong.
func (c *nodesCommand) Run(t *terminal) error {
	text, nodes, err := query[control.Nodes](&c.queryFlags, http.MethodGet, nil, "v1", "nodes")
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = t.stdout.Write(text)
		return err
	}
	rows := []string{"NODE\tROLES\tSTATE\tCPU\tMEMORY\tBROADCASTS\tVIEWERS\tRTMP\tHTTP"}
	for _, n := range nodes.Nodes {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%.0f%%\t%.0f%%\t%d\t%d\t%s\t%s",
			n.Name, dash(strings.Join(n.Roles, ",")), n.State, 100*n.Load.CPU, 100*n.Load.Memory,
			n.Load.Broadcasts, n.Load.Viewers, dash(n.RTMP), dash(n.HTTP)))
	}
	if err := table(t.stdout, rows); err != nil {
		return err
	}
	if !nodes.Member {
		_, err = fmt.Fprintf(t.stdout, "%s has lost its lease: this is what it knew before.\n",
			nodes.Self)
	}
	return err
}
