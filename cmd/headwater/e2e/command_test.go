package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// answer is what a node says of a command.
type answer struct {
	ID      string `json:"id"`
	Key     string `json:"key"`
	Version uint64 `json:"version"`
	Epoch   uint64 `json:"epoch"`
	State   string `json:"state"`
	PTS     int64  `json:"pts_ms"`
	Note    string `json:"note"`
}

// blurring is what a command asks to have blurred; without rectangles, nothing.
type blurring struct {
	ID    string `json:"id,omitempty"`
	Mode  string `json:"mode,omitempty"`
	Rects []rect `json:"rects"`
}

// send sends a request with a JSON body, and returns the answer's status and body.
func (n *node) send(t *testing.T, method, path string, body any) (status int, text string) {
	t.Helper()
	content, ok := body.(string)
	if !ok {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = string(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+n.http+path,
		strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := n.client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, string(got)
}

// command has the node carry out what a body says about a part of a broadcast.
func (n *node) command(t *testing.T, method, key, what string, body any) answer {
	t.Helper()
	path := "/v1/broadcasts/live/" + key + "/" + what
	status, text := n.send(t, method, path, body)
	var a answer
	if err := json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&a); err != nil ||
		status != http.StatusOK {
		t.Fatalf("%s %s %+v: %d %s, %v", method, path, body, status, text, err)
	}
	return a
}

// blur has rectangles of a broadcast blurred, none for an end of that.
func (n *node) blur(t *testing.T, key, mode string, rects ...rect) answer {
	t.Helper()
	if rects == nil {
		rects = []rect{}
	}
	return n.command(t, http.MethodPost, key, "blur", blurring{Mode: mode, Rects: rects})
}

// blurByCommand is blur by headwater's own command.
func (n *node) blurByCommand(t *testing.T, key, mode string, rects ...rect) answer {
	t.Helper()
	args := []string{"blur", "live/" + key, "--url", "http://" + n.http, "--json"}
	if len(rects) == 0 {
		args = append(args, "--off")
	} else {
		args = append(args, "--mode", mode)
	}
	for _, r := range rects {
		args = append(args, "--rect", fmt.Sprintf("%g,%g,%g,%g", r.X, r.Y, r.W, r.H))
	}
	p := start(t, headwater, args...)
	finish(t, p)
	var a answer
	if err := json.Unmarshal([]byte(p.stdout.String()), &a); err != nil || p.err != nil {
		t.Fatalf("headwater %v: %v, %v\n%s%s", args, p.err, err, &p.stdout, &p.stderr)
	}
	return a
}

// always sets the policy to process always, or not.
func (n *node) always(t *testing.T, key string, always bool) answer {
	t.Helper()
	return n.command(t, http.MethodPost, key, "policy", map[string]bool{"always": always})
}

// rendition is one form of a broadcast's picture.
type rendition struct {
	Name    string `json:"name"`
	Height  int    `json:"height"`
	Bitrate int    `json:"bitrate_bps"`
	FPS     int    `json:"fps"`
}

// ladder sets the renditions.
func (n *node) ladder(t *testing.T, key string, all ...rendition) answer {
	t.Helper()
	if all == nil {
		all = []rendition{}
	}
	return n.command(t, http.MethodPut, key, "renditions", map[string]any{"renditions": all})
}

// mustState fails the test unless a command holds as it should.
func (a answer) mustState(t *testing.T, state string) answer {
	t.Helper()
	if a.State != state {
		t.Fatalf("a command is %+v, want it %s", a, state)
	}
	return a
}

// String tells what was answered, for messages.
func (a answer) String() string {
	return fmt.Sprintf("version %d %s from %d ms of epoch %d %s",
		a.Version, a.State, a.PTS, a.Epoch, a.Note)
}
