package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
)

// nameMax is the length of the longest node name, as of Linux's host names.
const nameMax = 64

// Validate checks what one setting alone cannot tell, and that the files are there. The error is a
// list, a line each.
func (c *Config) Validate() error {
	return errors.Join(c.checkName(), c.checkAddresses(), c.checkTLS(), c.checkLink(),
		c.checkCluster(), c.checkBounds())
}

func (c *Config) checkName() error {
	if name := c.Node.Name; !isNodeName(name) {
		return fmt.Errorf("node.name: %q is not 1 to %d of a-z A-Z 0-9 . _ -", name, nameMax)
	}
	return nil
}

func isNodeName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	known := letters + strings.ToUpper(letters) + "0123456789._-"
	return name != "" && len(name) <= nameMax && strings.Trim(name, known) == ""
}

func (c *Config) checkAddresses() error {
	if c.RTMP.Listen == "" && c.RTMP.TLSListen == "" {
		return errors.New("rtmp.listen: is empty, and so is rtmp.tls-listen; set one of them")
	}
	if c.HTTP.Listen == "" {
		return errors.New("http.listen: is empty; try :8080")
	}
	seen := map[Address]string{}
	for _, l := range []struct {
		key  string
		addr Address
	}{
		{"rtmp.listen", c.RTMP.Listen},
		{"rtmp.tls-listen", c.RTMP.TLSListen},
		{"http.listen", c.HTTP.Listen},
		{"link.listen", c.Link.Listen},
		{"cluster.embed-listen", c.Cluster.embedded(c.Cluster.EmbedListen)},
		{"cluster.listen", c.Cluster.Listen},
		{"cluster.embed-peer", c.Cluster.embedded(c.Cluster.EmbedPeer)},
	} {
		_, port, err := net.SplitHostPort(string(l.addr))
		if err != nil || port == "0" {
			continue // turned off, or any port
		}
		if other := seen[l.addr]; other != "" {
			return fmt.Errorf("%s: %s is taken by %s", l.key, l.addr, other)
		}
		seen[l.addr] = l.key
	}
	return nil
}

func (c *Config) checkTLS() error {
	r := &c.RTMP
	switch {
	case r.TLSListen == "" && r.TLSCert == "" && r.TLSKey == "":
		return nil
	case r.TLSListen == "":
		return errors.New("rtmp.tls-listen: is empty, but a certificate or key is set")
	case r.TLSCert == "":
		return fmt.Errorf("rtmp.tls-cert: is empty; RTMPS on %s needs one", r.TLSListen)
	case r.TLSKey == "":
		return fmt.Errorf("rtmp.tls-key: is empty; RTMPS on %s needs one", r.TLSListen)
	}
	if _, err := tls.LoadX509KeyPair(r.TLSCert, r.TLSKey); err != nil {
		return fmt.Errorf("rtmp.tls-cert, rtmp.tls-key: %w", err)
	}
	return nil
}

// checkBounds holds bounds to others that they make no sense without.
func (c *Config) checkBounds() error {
	var problems []error
	if c.Viewer.MaxBehind > c.Topic.Time {
		problems = append(problems, fmt.Errorf(
			"viewer.max-behind: %v is more than topic.time keeps, %v",
			c.Viewer.MaxBehind, c.Topic.Time))
	}
	if c.Link.MaxBehind > c.Topic.Time {
		problems = append(problems, fmt.Errorf(
			"link.max-behind: %v is more than topic.time keeps, %v",
			c.Link.MaxBehind, c.Topic.Time))
	}
	if c.Limits.Message > c.Topic.Bytes {
		problems = append(problems, fmt.Errorf(
			"limits.message: %v is more than topic.bytes keeps, %v",
			c.Limits.Message, c.Topic.Bytes))
	}
	if c.Limits.Negotiating > c.Limits.Connections {
		problems = append(problems, fmt.Errorf(
			"limits.negotiating: %d is more than limits.connections, %d",
			c.Limits.Negotiating, c.Limits.Connections))
	}
	return errors.Join(problems...)
}
