package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// startMembers starts nodes of a cluster, the first with an etcd of its own, and waits until each
// knows all.
func startMembers(t *testing.T, names ...string) []*node {
	t.Helper()
	etcd := freeAddress(t)
	tls, scheme := secured(t)
	var nodes []*node
	for i, name := range names {
		flags := append([]string{"--node.name", name, "--node.advertise", "127.0.0.1"}, tls...)
		if i == 0 {
			flags = append(flags, "--cluster.etcd", "embed", "--cluster.embed-listen", etcd,
				"--cluster.embed-peer", freeAddress(t), "--cluster.embed-dir", t.TempDir())
		} else {
			flags = append(flags, "--cluster.etcd", scheme+etcd)
		}
		n := launchNode(t, flags...)
		t.Cleanup(func() { n.stop(t) })
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		await(t, "each node knows all", func() bool {
			_, body := n.get(t, "/v1/nodes")
			return strings.Count(body, `"name":`) == len(names)
		})
	}
	return nodes
}

// cli runs a command of the binary against a node.
func (n *node) cli(t *testing.T, args ...string) string {
	t.Helper()
	p := start(t, headwater, append(args, "--url", "http://"+n.http)...)
	finish(t, p)
	if p.err != nil {
		t.Fatalf("headwater %v: %v\n%s", args, p.err, &p.stderr)
	}
	return p.stdout.String()
}

// TestControlOfACluster commands, looks at and drains a broadcast and its node by another one.
func TestControlOfACluster(t *testing.T) {
	t.Parallel()
	nodes := startMembers(t, "a", "b")
	a, b := nodes[0], nodes[1]
	p := publish(t, a, "show")
	p.feed(t, film.get(t))
	await(t, "b knows the broadcast", func() bool {
		_, body := b.get(t, "/v1/broadcasts")
		return strings.Contains(body, `"key":"live/show"`)
	})
	if got := b.cli(t, "nodes"); !strings.Contains(got, "\na ") || !strings.Contains(got, "\nb ") {
		t.Errorf("nodes prints\n%s", got)
	}
	if got := b.cli(t, "ls"); !strings.Contains(got, "live/show  live") ||
		!strings.Contains(got, "avc1") {
		t.Errorf("ls prints\n%s", got)
	}
	mute := b.cli(t, "mute", "live/show")
	if !strings.Contains(mute, "node a)") || strings.Contains(mute, "not kept") ||
		!strings.Contains(mute, "mute holds from") {
		t.Errorf("mute prints %s", mute)
	}
	var took []time.Duration
	for i := range 200 {
		began := time.Now()
		status, body := b.send(t, "POST", "/v1/broadcasts/live/show/mute",
			map[string]any{"id": fmt.Sprint(i), "mute": i%2 == 0})
		if took = append(took, time.Since(began)); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	slices.Sort(took)
	t.Logf("a command by another node, carried out and stored: p50 %v, p99 %v", took[100], took[197])
	const settings = "/v1/broadcasts/live/show/settings"
	if _, body := b.get(t, settings); !strings.Contains(body, `"version":201`) {
		t.Errorf("settings are %s", body)
	}
	if status, _ := b.get(t, "/v1/broadcasts/live/show/snapshot.jpg"); status != http.StatusOK {
		t.Errorf("snapshot: %d", status)
	}
	if got := b.cli(t, "placement", "live/show"); !strings.HasPrefix(got, "publish  a") {
		t.Errorf("placement prints\n%s", got)
	}
	if got := b.cli(t, "drain", "a"); !strings.Contains(got, "a is") {
		t.Errorf("drain prints %s", got)
	}
	if status, _ := a.get(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("a is ready: %d", status)
	}
	await(t, "placement names the other", func() bool {
		return strings.HasPrefix(b.cli(t, "placement", "live/other"), "publish  b")
	})
	await(t, "the refusal names the other", func() bool {
		_, err := publishOn(t, dial(t, a.rtmp), "other")
		return err != nil && strings.Contains(err.Error(), "go to rtmp://"+b.rtmp+"/live/other")
	})
	// Of the one that moves, what was commanded comes along.
	q := publish(t, b, "show")
	q.feed(t, film.get(t))
	if _, body := b.get(t, settings); !strings.Contains(body, `"version":201`) {
		t.Errorf("on b, settings are %s", body)
	}
}

// TestBlurOutlivesEtcdAndItsNode takes etcd away, commands a blur, and kills the node that carries
// the broadcast: the standby has the blur, and stores it once etcd is back.
func TestBlurOutlivesEtcdAndItsNode(t *testing.T) {
	t.Parallel()
	etcd, peer, dir := freeAddress(t), freeAddress(t), t.TempDir()
	tls, scheme := secured(t)
	member := func(name string, flags ...string) *node {
		return launchNode(t, slices.Concat([]string{
			"--node.name", name, "--node.advertise", "127.0.0.1", "--publish.grace", "2s",
		}, tls, flags)...)
	}
	keeper := func() *node {
		return member("e", "--node.roles", "edge", "--cluster.etcd", "embed",
			"--cluster.embed-listen", etcd, "--cluster.embed-peer", peer, "--cluster.embed-dir", dir)
	}
	e := keeper()
	a := member("a", "--cluster.etcd", scheme+etcd)
	b := member("b", "--cluster.etcd", scheme+etcd)
	t.Cleanup(func() { b.stop(t) })
	p := publish(t, a, "show")
	p.feed(t, film.get(t))
	await(t, "a's broadcast has b as its standby", func() bool {
		_, body := a.get(t, "/v1/broadcasts")
		return strings.Contains(body, `"node":"a","role":"active","standby":"b"`)
	})
	e.kill(t)
	began := time.Now()
	got := a.blur(t, "show", "solid", rect{X: 0, Y: 0, W: 1, H: 0.5})
	if got.State != "live" || strings.Contains(got.Note, "not kept") {
		t.Errorf("the blur is answered %+v", got)
	}
	t.Logf("with etcd gone, the blur is answered after %v", time.Since(began))
	a.kill(t)
	e = keeper()
	t.Cleanup(func() { e.stop(t) })
	await(t, "b publishes", func() bool {
		_, err := publishOn(t, dial(t, b.rtmp), "show")
		return err == nil
	})
	const blurred = `"blur":{"off":false,"mode":"solid","rects":[{"x":0,"y":0,"w":1,"h":0.5}]}`
	if _, body := b.get(t, "/v1/broadcasts/live/show/settings"); !strings.Contains(body, blurred) {
		t.Errorf("on b, settings are %s", body)
	}
	await(t, "all nodes have the blur", func() bool {
		_, body := e.get(t, "/v1/broadcasts/live/show/settings")
		return strings.Contains(body, blurred)
	})
}
