package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// treeTimeout bounds how long a node may take to tell its tree.
const treeTimeout = 10 * time.Second

// treeCommand prints the supervision tree, live or as declared.
type treeCommand struct {
	URL      string `name:"url" default:"http://127.0.0.1:8080" help:"Address of the node."`
	All      bool   `help:"Print all of a crowd of like actors, not the first few."`
	Declared bool   `help:"Print the tree as it is declared, without asking any node."`
}

// Help is the text below the command's one line.
func (*treeCommand) Help() string {
	return `Each line is an actor: its state, restarts, messages waiting, the age of the oldest, ` +
		`goroutines that it owns, how long it has been up, and its last failure.

Example:

    headwater tree --url http://127.0.0.1:8080`
}

// Run is called by kong.
func (c *treeCommand) Run(t *terminal) error {
	if c.Declared {
		return t.Declared(t.stdout)
	}
	base, err := nodeURL(c.URL)
	if err != nil {
		return err
	}
	base = base.JoinPath("debug", "tree")
	if c.All {
		base.RawQuery = "all=1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), treeTimeout)
	defer cancel()
	return fetch(ctx, base.String(), t.stdout)
}

// fetch copies what is at a URL to w.
func fetch(ctx context.Context, from string, w io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("is a node running there? %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return fmt.Errorf("get %s: %s: %s", from, response.Status, bytes.TrimSpace(reason))
	}
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("get %s: %w", from, err)
	}
	return nil
}
