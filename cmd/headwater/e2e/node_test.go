package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// node is a headwater process.
type node struct {
	*process
	rtmp, rtmps, http string // host:port
	client            *http.Client
	host              *host // where it runs, nil where the tests do
}

// startNode starts a node on free ports of loopback and waits until it is ready. When the test
// ends the node is stopped, has to end well, and may not have logged an error.
func startNode(t *testing.T, flags ...string) *node {
	t.Helper()
	n := launchNode(t, flags...)
	n.mustEndWell(t)
	return n
}

// mustEndWell has the test judge the node's end.
func (n *node) mustEndWell(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		n.stop(t)
		for line := range strings.Lines(n.stderr.String()) {
			if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
				t.Errorf("the node's log has: %s", line)
			}
		}
	})
}

// launchNode starts a node whose end is the test's to judge.
func launchNode(t *testing.T, flags ...string) *node {
	t.Helper()
	return launchNodeIn(t, nil, flags...)
}

// launchNodeIn starts a node with variables in its environment.
func launchNodeIn(t *testing.T, variables []string, flags ...string) *node {
	t.Helper()
	n := beginNode(t, nil, variables, flags...)
	n.awaitReady(t)
	return n
}

// beginNode starts a node, by a command that is given its command line if there is one, and does
// not wait for anything.
func beginNode(t *testing.T, by, variables []string, flags ...string) *node {
	t.Helper()
	args := append(slices.Clone(by), headwater)
	args = append(args, []string{
		"run", "--rtmp.listen", "127.0.0.1:0", "--http.listen", "127.0.0.1:0", "--log.level", "debug",
	}...)
	args = append(args, flags...)
	n := &node{process: startIn(t, variables, args[0], args[1:]...)}
	n.client = clientOf(n.dialSelf)
	return n
}

// clientOf is a client by HTTP whose connections dial makes.
func clientOf(dial func(addr string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			DisableKeepAlives: true, // a scrape leaves nothing behind
			DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
				return dial(addr)
			},
		},
	}
}

// dialSelf connects to an address of the node from where it runs: no fault of a network is between.
func (n *node) dialSelf(addr string) (net.Conn, error) {
	if n.host != nil {
		return n.host.dialFrom(addr)
	}
	return net.DialTimeout("tcp", addr, patience)
}

// awaitReady waits until the node says that it is ready.
func (n *node) awaitReady(t *testing.T) {
	t.Helper()
	await(t, "the node says where it listens", func() bool {
		return over(n.ended) || n.stdout.has("stop", "Ctrl-C")
	})
	n.rtmp = n.address(t, "rtmp")
	n.http = n.address(t, "http")
	if n.stdout.has("rtmps://") {
		n.rtmps = n.address(t, "rtmps")
	}
	await(t, "the node is ready", func() bool {
		status, _ := n.get(t, "/readyz")
		return status == http.StatusOK
	})
}

// address finds an address in what the node printed.
func (n *node) address(t *testing.T, scheme string) string {
	t.Helper()
	found := regexp.MustCompile(`\b` + scheme + `://([0-9.]+:[0-9]+)/`).
		FindStringSubmatch(n.stdout.String())
	if found == nil {
		t.Fatalf("the node does not say where it listens for %s", scheme)
	}
	return found[1]
}

// stop stops the node gracefully.
func (n *node) stop(t *testing.T) {
	t.Helper()
	n.signal(t, syscall.SIGTERM)
	ends(t, "the node", n.ended)
	if n.exitCode() != 0 {
		t.Errorf("the node ended with exit code %d: %v", n.exitCode(), n.err)
	}
}

// get asks the node by HTTP.
func (n *node) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	response, err := n.client.Get("http://" + n.http + path)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	return response.StatusCode, string(text)
}

// metric is the sum of a metric's samples whose labels contain each of labels, such as a="b". A
// metric without a sample is an error.
func (n *node) metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	sum, samples := sumOf(t, n.metrics(t), name, labels)
	if samples == 0 {
		t.Fatalf("/metrics has no %s%v", name, labels)
	}
	return sum
}

func (n *node) metrics(t *testing.T) string {
	t.Helper()
	status, text := n.get(t, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, text)
	}
	return text
}

func sumOf(t *testing.T, text, name string, labels []string) (sum float64, samples int) {
	t.Helper()
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		at := strings.LastIndexByte(rest, ' ')
		matches := true
		for _, label := range labels {
			matches = matches && strings.Contains(rest[:at], label)
		}
		if !matches {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[at:]), 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		sum += value
		samples++
	}
	return sum, samples
}

// actors counts the running actors.
func (n *node) actors(t *testing.T) float64 {
	t.Helper()
	status, text := n.get(t, "/debug/tree?all=1")
	if status != http.StatusOK || !strings.Contains(text, "[node]") {
		t.Fatalf("/debug/tree: %d %s", status, text)
	}
	return float64(strings.Count(text, " running "))
}

// broadcast is what a node tells of a broadcast.
type broadcast struct {
	Key     string
	Epoch   int
	State   string
	Viewers int
	Video   string
	Audio   string
	Since   time.Time

	Node, Role, Standby string // in a cluster
}

func (n *node) broadcasts(t *testing.T) []broadcast {
	t.Helper()
	status, text := n.get(t, "/v1/broadcasts")
	var answer struct{ Broadcasts []broadcast }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("/v1/broadcasts: %d %s: %v", status, text, err)
	}
	return answer.Broadcasts
}

// broadcast returns what the node tells of one broadcast, nothing if it has none of that key.
func (n *node) broadcast(t *testing.T, key string) broadcast {
	t.Helper()
	for _, b := range n.broadcasts(t) {
		if b.Key == "live/"+key {
			return b
		}
	}
	return broadcast{}
}

// awaitState waits until a broadcast is in a state of an epoch.
func (n *node) awaitState(t *testing.T, key string, epoch int, state string) {
	t.Helper()
	what := fmt.Sprintf("live/%s epoch %d is in state %s", key, epoch, state)
	await(t, what, func() bool {
		b := n.broadcast(t, key)
		return b.Epoch == epoch && b.State == state
	})
}

func (n *node) rtmpURL(key string) string { return "rtmp://" + n.rtmp + "/live/" + key }
func (n *node) flvURL(key string) string  { return "http://" + n.http + "/live/" + key + ".flv" }
