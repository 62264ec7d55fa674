package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The ports of a member of etcd.
const (
	etcdPort     = 2379
	etcdPeerPort = 2380
)

// etcd is a cluster of etcd, one member on each of some hosts.
type etcd struct{ members []*member }

// member is a process of etcd that can be killed, frozen and started again with the data it has.
type member struct {
	*process
	host *host
	args []string
}

// etcdBinary is what members run. It is built when it is first needed.
var etcdBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(headwater), "etcd")
	out, err := exec.Command("go", "build", "-C", "etcd", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build etcd: %w\n%s", err, out)
	}
	return path, err
})

// etcd starts a cluster with a member on each host, and waits until all are ready.
func (l *lab) etcd(t *testing.T, hosts ...*host) *etcd {
	t.Helper()
	binary, err := etcdBinary()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, h := range hosts {
		all = append(all, h.name+"=http://"+h.at(etcdPeerPort))
	}
	e := &etcd{}
	for _, h := range hosts {
		m := &member{host: h, args: []string{
			binary, "-name", h.name, "-dir", t.TempDir(), "-cluster", strings.Join(all, ","),
			"-client", "http://" + h.at(etcdPort), "-peer", "http://" + h.at(etcdPeerPort),
		}}
		e.members = append(e.members, m)
		m.begin(t)
	}
	for _, m := range e.members {
		m.awaitReady(t)
	}
	return e
}

// begin starts a member, again after it was killed, and does not wait for anything.
func (m *member) begin(t *testing.T) {
	t.Helper()
	m.process = m.host.start(t, m.args[0], m.args[1:]...)
	m.host.main = m.process
}

func (m *member) awaitReady(t *testing.T) {
	t.Helper()
	await(t, "etcd on "+m.host.name+" is ready", func() bool {
		if over(m.ended) {
			t.Fatalf("etcd on %s ended: %v", m.host.name, m.err)
		}
		return m.stdout.has("ready")
	})
}

// endpoints is what clients are told: host:port,...
func (e *etcd) endpoints() string {
	var all []string
	for _, m := range e.members {
		all = append(all, m.host.at(etcdPort))
	}
	return strings.Join(all, ",")
}

// healthy asks a member, from inside its host, whether its cluster works.
func (m *member) healthy() bool {
	client := m.host.client()
	client.Timeout = 3 * time.Second
	response, err := client.Get("http://" + m.host.at(etcdPort) + "/health")
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == 200
}

// TestEtcd has a cluster of three go on without one of its members, stop without two, and go on
// when they are back.
func TestEtcd(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	e := l.etcd(t, l.host(t, "etcd-1"), l.host(t, "etcd-2"), l.host(t, "etcd-3"))
	one, two, three := e.members[0], e.members[1], e.members[2]
	await(t, "it is healthy", three.healthy)
	if want := "10.1.0.1:2379,"; !strings.Contains(e.endpoints(), ":2379,") {
		t.Errorf("endpoints are %s, want such as %s", e.endpoints(), want)
	}
	l.kill(t, "etcd-1")
	await(t, "it is healthy without one", three.healthy)
	l.part(t, two.host, three.host)
	await(t, "it is not without two", func() bool { return !three.healthy() })
	one.begin(t)
	one.awaitReady(t)
	l.heal(t, two.host, three.host)
	for _, m := range e.members {
		await(t, "it is healthy again", m.healthy)
	}
	l.freeze(t, "etcd-2")
	await(t, "it is healthy without one that hangs", three.healthy)
	l.thaw(t, "etcd-2")
	await(t, "that is healthy again", two.healthy)
}
