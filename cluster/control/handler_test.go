package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/snapshot"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/cluster/control/web"
	"github.com/headwater-live/headwater/codec/media"
)

// node is what the handler shows and commands.
type node struct {
	broadcasts []actors.Broadcast
	err        error
	limit      int
	settings   settings.Settings
	answer     settings.Answer
	commands   []settings.Command
	drills     []string
	picture    *snapshot.Picture
	rendition  string
	loudness   *loudness.Report
	drained    actors.Drained
	moved      bool
	stops      bool
}

func (n *node) Loudness(context.Context, string) (*loudness.Report, error) {
	return n.loudness, n.err
}

func (n *node) Snapshot(_ context.Context, _, rendition string) (*snapshot.Picture, error) {
	n.rendition = rendition
	return n.picture, n.err
}

func (n *node) Command(_ context.Context, c settings.Command) (settings.Answer, error) {
	n.commands = append(n.commands, c)
	a := n.answer
	a.ID, a.Key = c.ID, c.Key
	return a, n.err
}

func (n *node) Settings(context.Context, string) (settings.Settings, error) {
	return n.settings, n.err
}

func (n *node) Drill(path, kind string) error {
	n.drills = append(n.drills, path+" "+kind)
	return n.err
}

func (n *node) Broadcasts() ([]actors.Broadcast, error) { return n.broadcasts, n.err }

func (n *node) DrawTree(w io.Writer, limit int) error {
	n.limit = limit
	_, err := io.WriteString(w, "[node]\n")
	return errors.Join(err, n.err)
}

func handler(n Node) http.Handler {
	return Handler(Options{
		Node: n, Gatherer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
		FLV: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Method+" flv")
		}),
	})
}

func get(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestRoutes(t *testing.T) {
	h := handler(&node{})
	for _, c := range []struct {
		method, path string
		status       int
		content      string
		body         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "<html"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"POST", "/", 405, "", ""},
		{"GET", "/nothing", 404, "", ""},
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "ok\n"},
		{"GET", "/readyz", 200, "text/plain; charset=utf-8", "ok\n"},
		{"DELETE", "/healthz", 405, "", ""},
		{"GET", "/debug/tree", 200, "text/plain; charset=utf-8", "[node]\n"},
		{"GET", "/debug/", 404, "", ""},
		{"POST", "/v1/broadcasts", 405, "", ""},
		{"GET", "/v1/broadcasts/", 404, "application/problem+json", "there is no /v1/broadcasts/"},
		{"GET", "/v1/", 404, "application/problem+json", `"status":404`},
		{"POST", "/debug/drill", 404, "", ""},
		{"GET", "/v1/broadcasts", 200, "application/json", `{"broadcasts":[]}`},
		{"GET", "/metrics", 200, "", ""},
		{"PUT", "/metrics", 405, "", ""},
		{"GET", "/live/a.flv", 200, "", "GET flv"},
		{"OPTIONS", "/live/a.flv", 200, "", "OPTIONS flv"},
		{"GET", "/.flv", 200, "", "GET flv"},
	} {
		w := get(h, c.method, c.path)
		if w.Code != c.status || c.content != "" && w.Header().Get("Content-Type") != c.content ||
			!strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s: %d, %s, %.60q", c.method, c.path, w.Code,
				w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	h := get(handler(&node{}), "GET", "/").Header()
	for name, want := range map[string]string{
		"Content-Security-Policy": web.ContentSecurityPolicy,
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "no-cache",
	} {
		if got := h.Get(name); got != want || want == "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestTreeLimit(t *testing.T) {
	n := &node{err: errors.New("the reader is gone")}
	get(handler(n), "GET", "/debug/tree")
	if n.limit != supervise.Siblings {
		t.Errorf("the tree is cut at %d siblings, want %d", n.limit, supervise.Siblings)
	}
	if get(handler(n), "GET", "/debug/tree?all=1"); n.limit != 0 {
		t.Errorf("all of the tree is cut at %d siblings", n.limit)
	}
}

func TestBroadcasts(t *testing.T) {
	since := time.Date(2026, 11, 23, 20, 0, 0, 999, time.FixedZone("CET", 3600))
	header := topic.NewUnit(1, 1, media.AccessUnit{
		Kind: media.Audio, Role: media.SequenceHeader, Codec: media.AAC,
		Body: []byte{0xaf, 0, 0x11, 0x90},
	})
	n := &node{broadcasts: []actors.Broadcast{
		{
			Located: directory.Located{Key: "live/a", Epoch: 3, Publishing: true},
			Description: topic.Description{
				Headers: topic.Headers{media.Audio: header}, BitsPerSecond: 2_000_000.7, Since: since,
			},
			Viewers: 12,
		},
		{Located: directory.Located{Key: "live/<b>", Epoch: 1}},
	}}
	w := get(handler(n), "GET", "/v1/broadcasts")
	want := `{"broadcasts":[{"key":"live/a","epoch":3,"state":"live","viewers":12,` +
		`"audio":"mp4a 48000","bitrate_bps":2000000,"since":"2026-11-23T19:00:00Z"},` +
		`{"key":"live/\u003cb\u003e","epoch":1,"state":"grace","viewers":0,"bitrate_bps":0,` +
		`"since":"0001-01-01T00:00:00Z"}]}` + "\n"
	if got := w.Body.String(); got != want || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("it answers\n%s, want\n%s", got, want)
	}
	var back Listing
	if err := json.Unmarshal(w.Body.Bytes(), &back); err != nil || len(back.Broadcasts) != 2 {
		t.Error(err)
	}
	n.err = errors.New("the directory does not answer")
	if w := get(handler(n), "GET", "/v1/broadcasts"); w.Code != http.StatusServiceUnavailable ||
		!strings.Contains(w.Body.String(), n.err.Error()) {
		t.Errorf("it answers %d, %s", w.Code, w.Body)
	}
}

// The metrics of a whole node are named as Prometheus asks.
func TestMetricsLint(t *testing.T) {
	registry := prometheus.NewRegistry()
	n, err := actors.Start(actors.Options{
		Runtime:  &supervise.Runtime{Census: supervise.NewCensus(), Log: slog.New(slog.DiscardHandler)},
		Registry: registry, Ring: topic.DefaultLimits(), Grace: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(t.Context(), "the test is over"); err != nil {
			t.Error(err)
		}
	}()
	build := Build{Version: "v1", Commit: "c", Go: "go1.26", CPULevel: "x86-64-v4", Kernels: "d"}
	if err := registry.Register(NewBuildInfo(build)); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) < 15 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	h := Handler(Options{
		Node: n, Gatherer: registry, Log: slog.New(slog.DiscardHandler),
		FLV: http.NotFoundHandler(),
	})
	for _, c := range []struct{ path, want string }{
		{"/metrics", "headwater_viewers{protocol=\"rtmp\"} 0"},
		{"/metrics", `headwater_build_info{commit="c",cpu_level="x86-64-v4",go_version="go1.26",` +
			`kernels="d",version="v1"} 1`},
		{"/debug/tree", "[node]"},
		{"/v1/broadcasts", `{"broadcasts":[]}`},
	} {
		if w := get(h, "GET", c.path); w.Code != 200 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d, no %s in %.200s", c.path, w.Code, c.want, w.Body)
		}
	}
}
