package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cluster/control"
)

const (
	// commandTimeout is longer than a node takes to say that a command is not carried out.
	commandTimeout = 15 * time.Second
	maxAnswer      = 16 << 20
)

// broadcastFlags are those of every command to a broadcast.
type broadcastFlags struct {
	Key  string `arg:"" help:"Key of the broadcast, such as live/mine."`
	ID   string `name:"id" placeholder:"ID" help:"Name of the command: sent twice, it is done once."`
	URL  string `name:"url" default:"http://127.0.0.1:8080" help:"Address of the node."`
	JSON bool   `name:"json" help:"Print the node's answer as JSON."`
}

// send has the node carry a command out and prints from when on it holds. What it is of stands in
// the plural or not: "blur holds", "the renditions hold".
func (f *broadcastFlags) send(t *terminal, method, part string, body any, holds string) error {
	app, name, _ := cutKey(f.Key)
	key, err := listen.Key(app, name)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", f.Key, err)}
	}
	base, err := nodeURL(f.URL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	text, err := ask(ctx, method, base.JoinPath("v1", "broadcasts", key, part).String(), body)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if f.JSON {
		_, err = t.stdout.Write(text)
		return err
	}
	var a control.Answer
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("%s: the answer is no JSON: %w", key, err)
	}
	_, err = fmt.Fprintln(t.stdout, sentence(&a, holds))
	return err
}

// sentence says from when on a command holds.
func sentence(a *control.Answer, holds string) string {
	at := fmt.Sprintf("%.3f s", float64(a.PTS)/1000)
	var what, where string
	switch a.State {
	case settings.Live:
		what = holds + " from " + at
	case settings.Withheld:
		what = holds + " from " + at + ", and no picture is shown"
	case settings.Stored:
		what = holds + " from the first picture of whoever publishes next"
	default:
		what = holds + ", state " + string(a.State)
	}
	if a.Note != "" {
		what += ": " + a.Note
	}
	if a.Epoch != 0 {
		where = fmt.Sprintf(", epoch %d", a.Epoch)
	}
	if a.Node != "" {
		where += ", node " + a.Node
	}
	return fmt.Sprintf("%s: %s (version %d%s)", a.Key, what, a.Version, where)
}

// ask sends a request with a JSON body and returns the answer, or the problem as an error.
func ask(ctx context.Context, method, to string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return request(ctx, method, to, bytes.NewReader(text))
}

// request is ask for a body that is JSON already, or none.
func request(ctx context.Context, method, to string, body io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("is a node running there? %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, to, err)
	}
	if response.StatusCode == http.StatusOK {
		return answer, nil
	}
	var problem control.Problem
	if err := json.Unmarshal(answer, &problem); err != nil || problem.Detail == "" {
		return nil, fmt.Errorf("%s %s: %s: %.200s", method, to, response.Status,
			bytes.TrimSpace(answer))
	}
	return nil, errors.New(problem.Detail)
}

// nodeURL reads the address of a node.
func nodeURL(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, usageError{fmt.Errorf("--url: %q is not like http://127.0.0.1:8080", text)}
	}
	return base, nil
}

// cutKey cuts a key at its last slash.
func cutKey(key string) (app, name string, ok bool) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return "", key, false
	}
	return key[:i], key[i+1:], true
}
