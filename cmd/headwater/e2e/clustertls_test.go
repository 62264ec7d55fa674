package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestClusterTLSRefuses has nodes come to a cluster by TLS with certificates that are none of its
// authority's, that have expired, or that are missing: each is told why, on each plane, and the
// cluster goes on.
func TestClusterTLSRefuses(t *testing.T) {
	t.Parallel()
	links, etcd, strangers := authority(t), authority(t), authority(t)
	at := freeAddress(t)
	member := func(name string, planes ...[]string) *node {
		return beginNode(t, nil, nil, append(slices.Concat(planes...), "--node.name", name,
			"--node.advertise", "127.0.0.1")...)
	}
	keeper := member("keeper", links.flags(t), etcd.etcdFlags(t), []string{
		"--cluster.etcd", "embed", "--cluster.embed-listen", at, "--cluster.embed-peer", freeAddress(t),
		"--cluster.embed-dir", t.TempDir(),
	})
	keeper.awaitReady(t)
	p := publish(t, keeper, "film")
	p.feed(t, film.get(t))
	join := []string{"--cluster.etcd", "https://" + at}
	past := time.Now().Add(-time.Minute)
	for name, c := range map[string]struct {
		flags []string
		says  string // in the log of who comes, as a warning
	}{
		"etcd of another authority": {
			slices.Concat(join, links.flags(t), strangers.etcdFlags(t)),
			"signed by unknown authority",
		},
		"etcd expired": {
			slices.Concat(join, links.flags(t), renamed(etcd.flagsUntil(t, past))),
			"tls: expired certificate",
		},
		"etcd without": {
			slices.Concat(join, links.flags(t), []string{"--cluster.tls-ca", etcd.ca}),
			"tls: certificate required",
		},
		"etcd plain": {
			slices.Concat([]string{"--cluster.etcd", "http://" + at}, links.flags(t)),
			"error reading server preface",
		},
		"links of another authority": {
			slices.Concat(join, strangers.flags(t), etcd.etcdFlags(t)),
			"signed by unknown authority",
		},
		"links expired": {
			slices.Concat(join, links.flagsUntil(t, past), etcd.etcdFlags(t)),
			"tls: expired certificate",
		},
		"links plain": {
			slices.Concat(join, etcd.etcdFlags(t)),
			"does one of the nodes want TLS, and the other not?",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := member(strings.ReplaceAll(name, " ", "-"), c.flags)
			n.awaitReady(t)
			checkStranger(t, keeper, n, c.says, name[:5] == "links" && name != "links plain")
			n.kill(t)
		})
	}
	if over(p.ended) {
		t.Error("the publisher is gone")
	}
}

// checkStranger holds that a node which comes to another's cluster is not let in, and warns of why;
// with asks, that it commands nothing there.
func checkStranger(t *testing.T, keeper, n *node, says string, asks bool) {
	t.Helper()
	v := watchFLV(t, n, "film") // by a link, if it comes that far
	await(t, fmt.Sprintf("it warns of %q", says), func() bool {
		return n.stderr.has("level=WARN", says)
	})
	t.Logf("it says: %.600s", n.stderr.line("level=WARN", says))
	if got := keeper.metric(t, "headwater_links", `side="origin"`); got != 0 {
		t.Error("it has a link")
	}
	if asks {
		status, body := n.send(t, "POST", "/v1/broadcasts/live/film/mute", map[string]any{"mute": true})
		t.Logf("its command is answered %d %s", status, body)
		if status == http.StatusOK {
			t.Error("its command is carried out")
		}
	}
	if len(v.got()) > 0 {
		t.Error("it has the broadcast")
	}
}

// renamed are flags of links as those of etcd.
func renamed(flags []string) (out []string) {
	for _, flag := range flags {
		out = append(out, strings.Replace(flag, "--link.", "--cluster.", 1))
	}
	return out
}
