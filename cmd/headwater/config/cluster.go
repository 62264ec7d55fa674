package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Cluster is how this node is one of many: by way of etcd.
type Cluster struct {
	Etcd Etcd   `name:"etcd" default:"" placeholder:"embed|URL,..."`
	Name string `name:"name" default:"headwater"`
	// Listen is for what nodes say to each other beside media.
	Listen Address `name:"listen" default:"" placeholder:"ADDRESS"`
	// EmbedDir, EmbedListen and EmbedPeer are of the etcd in this process.
	EmbedDir    string  `name:"embed-dir" default:"headwater.etcd" placeholder:"DIR"`
	EmbedListen Address `name:"embed-listen" default:"127.0.0.1:2379"`
	EmbedPeer   Address `name:"embed-peer" default:"127.0.0.1:2380"`
	// TLSCA, TLSCert and TLSKey are paths of PEM files.
	TLSCA   string `name:"tls-ca" default:"" placeholder:"FILE"`
	TLSCert string `name:"tls-cert" default:"" placeholder:"FILE"`
	TLSKey  string `name:"tls-key" default:"" placeholder:"FILE"`
	// PasswordFile has the password of User.
	User         string `name:"user" default:"" placeholder:"NAME"`
	PasswordFile string `name:"password-file" default:"" placeholder:"FILE"`
}

// Edge is what holds where viewers are.
type Edge struct {
	// Fanout 0 is flat: every edge follows the origins.
	Fanout int `name:"fanout" default:"0" range:"0..1000"`
}

// Etcd says which etcd a cluster has: none, the one in this process, or those at endpoints.
type Etcd string

// Embed is the etcd in this process.
const Embed Etcd = "embed"

// UnmarshalText reads it.
func (e *Etcd) UnmarshalText(text []byte) error {
	*e = ""
	if len(text) > 0 && Etcd(text) != Embed {
		for part := range strings.SplitSeq(string(text), ",") {
			if !isEndpoint(strings.TrimSpace(part)) {
				return fmt.Errorf("%s is neither embed nor an endpoint; try http://10.0.0.1:2379",
					quote(part))
			}
		}
	}
	*e = Etcd(text)
	return nil
}

func isEndpoint(s string) bool {
	if strings.Contains(s, "://") {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" || u.User != nil {
			return false
		}
		s = u.Host
	}
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && number(port)
}

// Endpoints are those of an etcd elsewhere.
func (e Etcd) Endpoints() []string {
	if e == "" || e == Embed {
		return nil
	}
	var all []string
	for part := range strings.SplitSeq(string(e), ",") {
		all = append(all, strings.TrimSpace(part))
	}
	return all
}

// Roles are what a node does in a cluster, as text: origin, edge or both, separated by a comma.
type Roles string

// UnmarshalText reads roles.
func (r *Roles) UnmarshalText(text []byte) error {
	all := Roles(text).List()
	for i, role := range all {
		if role != "origin" && role != "edge" || slices.Contains(all[:i], role) {
			return fmt.Errorf("%s: want origin, edge or origin,edge", quote(string(text)))
		}
	}
	*r = Roles(text)
	return nil
}

// List returns them one by one.
func (r Roles) List() []string { return strings.Split(string(r), ",") }

// embedded is an address that is listened on if etcd is in this process.
func (k *Cluster) embedded(a Address) Address {
	if k.Etcd != Embed {
		return ""
	}
	return a
}

// checkCluster holds the settings of a cluster to each other.
func (c *Config) checkCluster() error {
	k := &c.Cluster
	if strings.ContainsAny(c.Node.Advertise, " /[]\x00") {
		return fmt.Errorf("node.advertise: %s is no host; try 10.0.0.1", quote(c.Node.Advertise))
	}
	for key, text := range map[string]string{
		"embed-dir": k.EmbedDir, "tls-ca": k.TLSCA, "tls-cert": k.TLSCert, "tls-key": k.TLSKey,
		"user": k.User, "password-file": k.PasswordFile,
	} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("cluster.%s: %s has control characters", key, quote(text))
		}
	}
	if !isNodeName(k.Name) {
		return fmt.Errorf("cluster.name: %q is not 1 to %d of a-z A-Z 0-9 . _ -", k.Name, nameMax)
	}
	if k.Etcd == "" {
		return nil
	}
	return k.checkAccess()
}

// checkAccess holds what is shown to etcd to each other.
func (k *Cluster) checkAccess() error {
	secure := strings.Contains(string(k.Etcd), "https://")
	switch {
	case k.Etcd == Embed && (k.EmbedDir == "" || k.EmbedListen == "" || k.EmbedPeer == ""):
		return errors.New("cluster.embed-dir, cluster.embed-listen, cluster.embed-peer: " +
			"cluster.etcd embed needs all three")
	case (k.TLSCert == "") != (k.TLSKey == ""):
		return errors.New("cluster.tls-cert, cluster.tls-key: only one of them is set")
	case k.TLSCert != "" && k.TLSCA == "":
		return errors.New("cluster.tls-ca: is empty, but cluster.tls-cert is set")
	case k.Etcd == Embed && k.TLSCA != "" && k.TLSCert == "":
		return errors.New("cluster.tls-cert: is empty; an embedded etcd with TLS needs one")
	case secure && k.TLSCA == "":
		return errors.New("cluster.tls-ca: is empty, but cluster.etcd has https")
	case (k.User == "") != (k.PasswordFile == ""):
		return errors.New("cluster.user, cluster.password-file: only one of them is set")
	}
	return nil
}

func helpCluster(key string) string {
	return map[string]string{
		"node.roles": "What this node does in a cluster: origin takes publishers, edge takes " +
			"viewers.",
		"node.advertise": "Host by which the nodes of a cluster reach this one; when empty, the " +
			"local address of its connection to etcd.",

		"cluster.etcd": "Etcd by which nodes find each other: empty for a node by itself, embed " +
			"for one within this process, or endpoints separated by commas.",
		"cluster.name": "Name of the cluster; several can share one etcd.",
		"cluster.listen": "Address for the control messages of other nodes, with the TLS of links; " +
			"when empty, any port of node.advertise.",
		"cluster.embed-dir": "Directory in which the embedded etcd keeps its data, which outlives " +
			"the process.",
		"cluster.embed-listen": "Address of the embedded etcd for the nodes of the cluster; who " +
			"reaches it without TLS can change everything in it.",
		"cluster.embed-peer": "Address that the embedded etcd needs for members of its own.",
		"cluster.tls-ca": "Path of the certificates of the authority that etcd's certificate has " +
			"to be of, in PEM form.",
		"cluster.tls-cert": "Path of the certificate that this node shows to etcd, and that the " +
			"embedded etcd shows, in PEM form.",
		"cluster.tls-key":       "Path of the private key of that certificate, in PEM form.",
		"cluster.user":          "User by whose name this node comes to etcd.",
		"cluster.password-file": "Path of a file whose one line is that user's password.",

		"edge.fanout": "How many edges one feeds in a cluster with tiers of edges; 0 has every " +
			"edge follow the origins.",
	}[key]
}
