package main

import (
	"flag"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/control"
	"github.com/headwater-live/headwater/cluster/directory"
	"github.com/headwater-live/headwater/cluster/link"
	"github.com/headwater-live/headwater/cluster/membership"
	"github.com/headwater-live/headwater/cluster/wire"
	"github.com/headwater-live/headwater/cmd/headwater/config"
)

const operating = "../../docs/operating.md"

var updateDocs = flag.Bool("update-docs", false, "write the settings into docs/operating.md")

// block returns what a document has between two markers, and the document with that replaced.
func block(t *testing.T, doc, name, with string) (was, replaced string) {
	t.Helper()
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(doc, begin)
	was, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no block between %q and %q", operating, begin, end)
	}
	return was, before + begin + with + end + after
}

func readOperating(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile(operating)
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// TestSettingsAreDocumented holds the table of settings to the settings.
func TestSettingsAreDocumented(t *testing.T) {
	doc := readOperating(t)
	was, replaced := block(t, doc, "settings", config.Reference())
	if was == config.Reference() {
		return
	}
	if *updateDocs {
		if err := os.WriteFile(operating, []byte(replaced), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("docs/operating.md lists other settings; run go test ./cmd/headwater -update-docs")
}

var metricRow = regexp.MustCompile("(?m)^\\| `(headwater_[a-z_]+)`")

// TestMetricsAreDocumented holds the table of metrics to what a node registers.
func TestMetricsAreDocumented(t *testing.T) {
	table, _ := block(t, readOperating(t), "metrics", "")
	var listed []string
	for _, m := range metricRow.FindAllStringSubmatch(table, -1) {
		listed = append(listed, m[1])
	}
	registered := registeredMetrics(t)
	for _, name := range registered {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is not in docs/operating.md", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(registered, name) {
			t.Errorf("docs/operating.md lists %s, which a node does not have", name)
		}
	}
}

// registeredMetrics are the names of all metrics of a node, those without a series yet included.
func registeredMetrics(t *testing.T) []string {
	t.Helper()
	names := &nameRegistry{}
	node, err := actors.Start(actors.Options{
		Runtime:  &supervise.Runtime{Census: supervise.NewCensus(), Log: slog.New(slog.DiscardHandler)},
		Registry: names,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Stop(t.Context(), "that was all"); err != nil {
		t.Fatal(err)
	}
	if _, err := link.NewMetrics(names); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.NewMetrics(names); err != nil {
		t.Fatal(err)
	}
	if _, err := membership.NewMetrics(names); err != nil {
		t.Fatal(err)
	}
	if _, err := directory.NewMetrics(names); err != nil {
		t.Fatal(err)
	}
	for _, c := range []prometheus.Collector{
		supervise.NewCollector(supervise.NewCensus()), control.NewBuildInfo(control.Build{}),
	} {
		if err := names.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(names.names)
	return slices.Compact(names.names)
}

// nameRegistry notes the names of what is registered.
type nameRegistry struct{ names []string }

var fqName = regexp.MustCompile(`fqName: "([a-z_]+)"`)

func (r *nameRegistry) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 64)
	c.Describe(descs)
	close(descs)
	for d := range descs {
		r.names = append(r.names, fqName.FindStringSubmatch(d.String())[1])
	}
	return nil
}

func (r *nameRegistry) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		_ = r.Register(c) // it cannot fail
	}
}

func (r *nameRegistry) Unregister(prometheus.Collector) bool { return false }
