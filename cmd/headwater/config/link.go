package config

import (
	"fmt"
	"net"
	"strings"
)

// Link is how this node and others take broadcasts of each other.
type Link struct {
	Listen  Address `name:"listen" default:"" placeholder:"ADDRESS"`
	Origins Origins `name:"origins" default:"" placeholder:"NAME=HOST:PORT,..."`
	// TLSCert, TLSKey and TLSCA are paths of PEM files, set all three or not at all.
	TLSCert   string   `name:"tls-cert" default:"" placeholder:"FILE"`
	TLSKey    string   `name:"tls-key" default:"" placeholder:"FILE"`
	TLSCA     string   `name:"tls-ca" default:"" placeholder:"FILE"`
	MaxBehind Duration `name:"max-behind" default:"3s" range:"500ms..1m"`
}

// Origins are the nodes that this one follows, as text: NAME=HOST:PORT, separated by commas.
type Origins string

// Origin is one of them.
type Origin struct{ Name, Address string }

// originLocal is taken: an edge's relay of that name follows the node's own broadcasts.
const originLocal = "origin"

// UnmarshalText reads origins.
func (o *Origins) UnmarshalText(text []byte) error {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(string(text), ",") {
		if len(text) == 0 {
			break
		}
		name, address, found := strings.Cut(strings.TrimSpace(part), "=")
		host, _, err := net.SplitHostPort(address)
		switch {
		case !found || err != nil || host == "":
			return fmt.Errorf("%s is not NAME=HOST:PORT; try origin-1=10.0.0.1:1936", quote(part))
		case !isNodeName(name) || name == originLocal:
			return fmt.Errorf("%s is no name of another node", quote(name))
		case seen[name]:
			return fmt.Errorf("%s is named twice", name)
		}
		seen[name] = true
	}
	*o = Origins(text)
	return nil
}

// List returns them one by one.
func (o Origins) List() []Origin {
	if o == "" {
		return nil
	}
	var all []Origin
	for part := range strings.SplitSeq(string(o), ",") {
		name, address, _ := strings.Cut(strings.TrimSpace(part), "=")
		all = append(all, Origin{name, address})
	}
	return all
}

// checkLink holds the files of a link's TLS to each other.
func (c *Config) checkLink() error {
	l := &c.Link
	set := 0
	for _, file := range []string{l.TLSCert, l.TLSKey, l.TLSCA} {
		if file != "" {
			set++
		}
	}
	if set != 0 && set != 3 {
		return fmt.Errorf("link.tls-cert, link.tls-key, link.tls-ca: %d of the three are set; "+
			"set all, or none for plain TCP", set)
	}
	return nil
}
