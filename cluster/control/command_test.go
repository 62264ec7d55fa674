package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/codec/media"
)

// send sends a body as clients do; headers are pairs.
func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const blurPath = "/v1/broadcasts/live/a/blur"

// TestCommands sends each command, and looks at what the node is told.
func TestCommands(t *testing.T) {
	const off = `{"id":"1","off":true}`
	for _, c := range []struct {
		method, path, body, key string
		want                    settings.Change
	}{
		{
			"POST", blurPath, `{"id":"1","mode":"box","rects":[{"x":0.1,"y":0.2,"w":0.3,"h":0.4}]}`,
			"live/a",
			settings.SetBlur{Blur: settings.Blur{
				Mode: settings.Box, Rects: []settings.Rect{{X: 0.1, Y: 0.2, W: 0.3, H: 0.4}},
			}},
		},
		{"POST", blurPath, ` {"id":"1","off":true} `, "live/a", settings.SetBlur{}},
		{"POST", blurPath, `{"id":"1","rects":[]}`, "live/a", settings.SetBlur{}},
		{"POST", "/v1/broadcasts/live/eu/a/blur", off, "live/eu/a", settings.SetBlur{}},
		{"POST", "/v1/broadcasts/live/blur/blur", off, "live/blur", settings.SetBlur{}},
		{
			"POST", "/v1/broadcasts/live/a/policy", `{"id":"1","always":true}`, "live/a",
			settings.SetPolicy{Always: true},
		},
		{
			"POST", "/v1/broadcasts/live/a/mute", `{"id":"1","mute":true}`, "live/a",
			settings.SetMute{Mute: true},
		},
		{
			"PUT", "/v1/broadcasts/live/a/renditions",
			`{"id":"1","renditions":[{"name":"480p","height":480,"bitrate_bps":800000,"fps":30}]}`,
			"live/a",
			settings.SetRenditions{Renditions: []settings.Rendition{
				{Name: "480p", Height: 480, Bitrate: 800_000, FPS: 30},
			}},
		},
		{
			"PUT", "/v1/broadcasts/live/a/renditions", `{"id":"1","renditions":[]}`, "live/a",
			settings.SetRenditions{},
		},
	} {
		n := &node{answer: settings.Answer{
			Version: 3, Epoch: 2, State: settings.Live, PTS: 12_345 * media.Millisecond, Note: "so",
			Node: "n",
		}}
		w := send(handler(n), c.method, c.path, c.body)
		want := `{"id":"1","key":"` + c.key +
			`","version":3,"epoch":2,"state":"live","pts_ms":12345,"note":"so","node":"n"}` + "\n"
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s %s: %d %s, want %s", c.path, c.body, w.Code, w.Body, want)
		}
		command := settings.Command{ID: "1", Key: c.key, Change: c.want}
		if len(n.commands) != 1 || !reflect.DeepEqual(n.commands[0], command) {
			t.Errorf("%s %s: the node was told %+v, want %+v", c.path, c.body, n.commands, command)
		}
	}
}

// TestGivenID holds that a command without an ID gets one of its own.
func TestGivenID(t *testing.T) {
	n := &node{}
	seen := map[string]bool{"": true}
	for range 3 {
		var answer Answer
		w := send(handler(n), "POST", blurPath, `{"off":true}`)
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || seen[answer.ID] {
			t.Errorf("the id is %q: %v", answer.ID, err)
		}
		seen[answer.ID] = true
	}
}

// problem is what a request with a fault has to be answered with.
type problem struct {
	method, path, body string
	headers            []string
	status             int
	detail             string
}

func badBodies() []problem {
	var all []problem
	for body, detail := range map[string]string{
		"":                               "the body is empty",
		"{":                              "the JSON ends too early",
		"{]":                             "no JSON: invalid character ']'",
		"[]":                             "the body is a JSON array; want an object",
		"\n {\"off\":1}":                 "off is a number; want a bool, line 2 column",
		`{"off":true}{}`:                 "something follows the JSON value, line 1 column 13",
		`{"off":true} x`:                 "something follows the JSON value",
		`{"off":true,"Off":false}`:       `field \"Off\" comes twice`,
		"{\n\"blr\":[]}":                 `there is no field \"blr\", line 2 column 1`,
		`{"rects":[{"left":1}]}`:         `there is no field \"left\"`,
		`{}`:                             "rects is missing",
		`{"rects":null}`:                 "rects is missing",
		`null`:                           "rects is missing",
		`{"rects":[{"y":0,"w":1}]}`:      "rects[0]: want all of x, y, w and h",
		`{"rects":[{"x":"0"}]}`:          "rects.x is a string; want a float64",
		`{"rects":[{"x":1e999}]}`:        "rects.x is a number 1e999",
		`{"off":true,"rects":[{"x":0}]}`: "off is set, and there are 1 rects",
	} {
		all = append(all, problem{"POST", blurPath, body, nil, 400, detail})
	}
	return all
}

func TestProblems(t *testing.T) {
	const off = `{"off":true}`
	for _, c := range append(
		badBodies(),
		problem{"POST", blurPath, `{"mode":"fog","off":true}`, nil, 422, `mode \"fog\": want one of`},
		problem{"POST", blurPath, strings.Repeat(" ", maxBody) + off, nil, 413, "larger than 65536"},
		problem{"POST", blurPath, off, []string{"Content-Type", "text/plain"}, 415, "application/json"},
		problem{"POST", blurPath, off, []string{"Content-Type", ""}, 415, "application/json"},
		problem{"POST", blurPath, off, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross-origin"},
		problem{"POST", blurPath, off, []string{"Sec-Fetch-Site", "same-site"}, 403, "cross-origin"},
		problem{"POST", blurPath, off, []string{"Origin", "http://evil.example"}, 403, "cross-origin"},
		problem{"DELETE", blurPath, off, nil, 405, "here; want GET or HEAD or POST"},
		problem{"PUT", blurPath, off, nil, 405, "PUT is not allowed here"},
		problem{"GET", "/v1/broadcasts/live/a/mute", "", nil, 405, "want POST"},
		problem{"POST", "/v1/broadcasts/live/a/settings", off, nil, 405, "want GET or HEAD"},
		problem{"POST", "/v1/broadcasts", off, nil, 405, "want GET or HEAD"},
		problem{"POST", "/v1/broadcasts/a/blur", off, nil, 400, "not a broadcast key"},
		problem{"POST", "/v1/broadcasts/live/%20/blur", off, nil, 400, "not a broadcast key"},
		problem{"POST", "/v1/broadcasts/blur", off, nil, 400, "not a broadcast key"},
		problem{"POST", "/v1/broadcasts/live/a/blurs", off, nil, 404, "there is no /v1/"},
		problem{"POST", "/v1/broadcasts/live/a/policy", `{}`, nil, 400, "always is missing"},
		problem{"POST", "/v1/broadcasts/live/a/mute", `{"id":"1"}`, nil, 400, "mute is missing"},
		problem{"PUT", "/v1/broadcasts/live/a/renditions", `{}`, nil, 400, "renditions is missing"},
		problem{
			"PUT", "/v1/broadcasts/live/a/renditions", `{"renditions":[{"name":"a","bitrate":1}]}`,
			nil, 400, `there is no field \"bitrate\"`,
		},
	) {
		n := &node{}
		w := send(handler(n), c.method, c.path, c.body, c.headers...)
		holds(t, fmt.Sprintf("%s %s %.60q", c.method, c.path, c.body), w, c.status, c.detail)
		if len(n.commands) > 0 {
			t.Errorf("%s %.60q: the node was told %+v", c.path, c.body, n.commands)
		}
	}
}

// holds checks a problem document.
func holds(t *testing.T, what string, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	var p Problem
	err := json.Unmarshal(w.Body.Bytes(), &p)
	quoted, _ := json.Marshal(p.Detail)
	if err != nil || w.Code != status || p.Status != status || p.Type != "about:blank" ||
		p.Title != http.StatusText(status) || !strings.Contains(string(quoted), detail) ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %v %s\nwant %d %s", what, w.Code, err, w.Body, status, detail)
	}
}

// TestNodeProblems has the node refuse, or not answer.
func TestNodeProblems(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{&settings.Refused{Reason: "too small"}, 422},
		{fmt.Errorf("command: %w", &settings.Refused{Reason: "too small"}), 422},
		{errors.New("future: timeout"), 503},
		{fmt.Errorf("ask: %w", actors.ErrEnding), 503},
	} {
		h := handler(&node{err: c.err})
		holds(t, "POST", send(h, "POST", blurPath, `{"off":true}`), c.status, c.err.Error())
		if c.status == 503 {
			w := send(h, "GET", blurPath, "")
			holds(t, "GET", w, 503, c.err.Error())
			if w.Header().Get("Retry-After") == "" {
				t.Error("it is not said when to try again")
			}
		}
	}
}

// TestSameOrigin holds that the page of the node itself may command.
func TestSameOrigin(t *testing.T) {
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"},
		{"Origin", "http://example.com"},
		{"Content-Type", "application/json; charset=utf-8"},
	} {
		if w := send(handler(&node{}), "POST", blurPath, `{"off":true}`, headers...); w.Code != 200 {
			t.Errorf("%v: %d %s", headers, w.Code, w.Body)
		}
	}
}

func TestReadSettings(t *testing.T) {
	n := &node{settings: settings.Settings{
		Version: 4, Always: true, Mute: true,
		Blur:       settings.Blur{Mode: settings.Solid, Rects: []settings.Rect{{W: 1, H: 0.5}}},
		Renditions: []settings.Rendition{{Name: "480p", Height: 480}},
	}}
	const blur = `{"off":false,"mode":"solid","rects":[{"x":0,"y":0,"w":1,"h":0.5}]}`
	const ladder = `[{"name":"480p","height":480,"bitrate_bps":0,"fps":0}]`
	for what, want := range map[string]string{
		"blur":       blur,
		"renditions": `{"renditions":` + ladder + `}`,
		"settings": `{"key":"live/a","version":4,"blur":` + blur +
			`,"always":true,"mute":true,"renditions":` + ladder + `}`,
	} {
		w := get(handler(n), "GET", "/v1/broadcasts/live/a/"+what)
		if w.Code != 200 || w.Body.String() != want+"\n" ||
			w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s, want %s", what, w.Code, w.Body, want)
		}
	}
	const none = `{"off":true,"mode":"pixelate","rects":[]}` + "\n"
	if w := get(handler(&node{}), "GET", blurPath); w.Body.String() != none {
		t.Errorf("of nothing: %s, want %s", w.Body, none)
	}
}

func TestDrill(t *testing.T) {
	n := &node{}
	h := Handler(Options{
		Node: n, Gatherer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Drills: true,
		FLV: http.NotFoundHandler(),
	})
	const path, body = "/debug/drill", `{"actor":"node/load","kind":"crash"}`
	if w := send(h, "POST", path, body); w.Code != 204 || len(n.drills) != 1 ||
		n.drills[0] != "node/load crash" {
		t.Errorf("%d %s, %v", w.Code, w.Body, n.drills)
	}
	holds(t, "GET", send(h, "GET", path, ""), 405, "want POST")
	holds(t, "body", send(h, "POST", path, `{"actors":"a"}`), 400, "there is no field")
	holds(t, "origin", send(h, "POST", path, body, "Sec-Fetch-Site", "cross-site"), 403, "cross")
	n.err = fmt.Errorf("%w: x", actors.ErrDrill)
	holds(t, "kind", send(h, "POST", path, body), 422, "no such drill: x")
	n.err = fmt.Errorf("%w: actor", actors.ErrNotFound)
	holds(t, "actor", send(h, "POST", path, body), 404, "not found: actor")
}
