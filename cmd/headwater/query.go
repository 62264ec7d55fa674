package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
)

// queryFlags are those of every command that asks a node for something.
type queryFlags struct {
	URL  string `name:"url" default:"http://127.0.0.1:8080" help:"Address of a node; any will do."`
	JSON bool   `name:"json" help:"Print the node's answer as JSON."`
}

// query asks a node and returns its answer as it came and as a value.
func query[T any](
	f *queryFlags, method string, parameters url.Values, path ...string,
) (text []byte, value T, err error) {
	base, err := nodeURL(f.URL)
	if err != nil {
		return nil, value, err
	}
	at := base.JoinPath(path...)
	at.RawQuery = parameters.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	text, err = request(ctx, method, at.String(), http.NoBody)
	if err != nil {
		return nil, value, err
	}
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, value, fmt.Errorf("the answer is no JSON: %w", err)
	}
	return text, value, nil
}

// table writes rows whose cells are separated by tabs.
func table(w io.Writer, rows []string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(t, row); err != nil {
			return err
		}
	}
	return t.Flush()
}

// dash stands for what is empty in a table.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
