package e2e

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The ports of a node on a host, which it has to itself: a node that comes back is where it was.
const (
	rtmpPort = 1935
	linkPort = 1936
	httpPort = 8080
)

// node starts a node on the host and waits until it is ready. How it ends is the test's to judge.
func (h *host) node(t *testing.T, flags ...string) *node {
	t.Helper()
	n := h.begin(t, flags...)
	n.awaitReady(t)
	return n
}

// begin starts a node on the host and does not wait for anything.
func (h *host) begin(t *testing.T, flags ...string) *node {
	t.Helper()
	n := beginNode(t, h.by(), nil, append([]string{
		"--node.name", h.name, "--rtmp.listen", h.at(rtmpPort), "--http.listen", h.at(httpPort),
	}, flags...)...)
	n.host, h.main = h, n.process
	return n
}

// origin starts a node that takes links.
func (h *host) origin(t *testing.T, flags ...string) *node {
	t.Helper()
	n := h.node(t, append([]string{"--link.listen", h.at(linkPort)}, flags...)...)
	n.mustEndWell(t)
	return n
}

// edge starts a node that follows origins, and waits until it has its links.
func (h *host) edge(t *testing.T, origins []*node, flags ...string) *node {
	t.Helper()
	var names []string
	for _, o := range origins {
		names = append(names, o.host.name+"="+o.host.at(linkPort))
	}
	n := h.node(t, append([]string{"--link.origins", strings.Join(names, ",")}, flags...)...)
	n.mustEndWell(t)
	n.awaitLinks(t, "edge", len(origins))
	return n
}

// Processes by the names of their hosts: kill ends one as a crash would, freeze stops it as a
// machine that hangs does, thaw has it go on.

func (l *lab) kill(t *testing.T, name string) {
	t.Helper()
	l.hosts[name].main.kill(t)
}

func (l *lab) freeze(t *testing.T, name string) {
	t.Helper()
	l.hosts[name].main.signal(t, syscall.SIGSTOP)
}

func (l *lab) thaw(t *testing.T, name string) {
	t.Helper()
	l.hosts[name].main.signal(t, syscall.SIGCONT)
}

// encode has ffmpeg publish from the host until the test ends.
func (h *host) encode(t *testing.T, url string, extra ...string) *process {
	t.Helper()
	args := slices.Concat(pattern("320x180"), encoding(), extra, []string{"-f", "flv", url})
	return h.start(t, "ffmpeg", args...)
}

// publish begins to publish to a node from the host.
func (h *host) publish(t *testing.T, to *node, key string) *publisher {
	t.Helper()
	p, err := publishOn(t, h.dial(t, to.rtmp), key)
	if err != nil {
		t.Fatalf("publish %s to %s: %v", key, to.host.name, err)
	}
	return p
}

// watch has the host watch what a node serves, by each protocol.
func (h *host) watch(t *testing.T, on *node, key string) []*viewer {
	t.Helper()
	viewers := []*viewer{
		watchRTMPOn(t, h.dial(t, on.rtmp), key), watchFLVOn(t, h.dial(t, on.http), key),
	}
	for _, v := range viewers {
		v.name = fmt.Sprintf("%s on %s", v.name, on.host.name)
	}
	return viewers
}
