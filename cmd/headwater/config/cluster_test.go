package config

import (
	"slices"
	"strings"
	"testing"
)

func TestEtcd(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "embed": nil,
		"http://10.0.0.1:2379":                   {"http://10.0.0.1:2379"},
		"https://etcd-1:2379, [::1]:2379":        {"https://etcd-1:2379", "[::1]:2379"},
		"10.0.0.1:2379,10.0.0.2:2379,etcd-3:999": {"10.0.0.1:2379", "10.0.0.2:2379", "etcd-3:999"},
	} {
		var e Etcd
		if err := e.UnmarshalText([]byte(text)); err != nil || !slices.Equal(e.Endpoints(), want) {
			t.Errorf("%q: %v, %v", text, e.Endpoints(), err)
		}
	}
	for _, text := range []string{
		"embedded", "http://h", "ftp://h:1", "h:1,", ":2379", "http://u:p@h:1", "http://h:1/path",
	} {
		var e Etcd
		if err := e.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestRoles(t *testing.T) {
	for text, ok := range map[string]bool{
		"origin": true, "edge": true, "origin,edge": true, "edge,origin": true,
		"": false, "origin,": false, "edge,edge": false, "king": false,
	} {
		var r Roles
		if err := r.UnmarshalText([]byte(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestClusterIsWhole(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"embed":   {func(c *Config) { c.Cluster.Etcd = Embed }, ""},
		"nothing": {func(*Config) {}, ""},
		"name": {
			func(c *Config) { c.Cluster.Etcd, c.Cluster.Name = Embed, "a/b" }, "cluster.name: ",
		},
		"no directory": {
			func(c *Config) { c.Cluster.Etcd, c.Cluster.EmbedDir = Embed, "" },
			"cluster.etcd embed needs all three",
		},
		"half a pair": {
			func(c *Config) { c.Cluster.Etcd, c.Cluster.TLSKey = Embed, "k" },
			"cluster.tls-cert, cluster.tls-key: only one",
		},
		"no authority": {
			func(c *Config) { c.Cluster.Etcd = "https://h:1" }, "cluster.tls-ca: is empty",
		},
		"no password": {
			func(c *Config) { c.Cluster.Etcd, c.Cluster.User = Embed, "u" },
			"cluster.user, cluster.password-file: only one",
		},
		"advertise": {
			func(c *Config) { c.Node.Advertise = "http://h" }, "node.advertise: ",
		},
		"one port": {
			func(c *Config) { c.Cluster.Etcd, c.Cluster.EmbedPeer = Embed, c.Cluster.EmbedListen },
			"is taken by cluster.embed-listen",
		},
	} {
		config := Default()
		config.Node.Name = "n"
		c.change(&config)
		err := config.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}
