package config

import (
	"slices"
	"strings"
	"testing"
)

func TestOrigins(t *testing.T) {
	var o Origins
	if err := o.UnmarshalText([]byte("a=10.0.0.1:1936, b-2=host.example:1")); err != nil {
		t.Fatal(err)
	}
	want := []Origin{{"a", "10.0.0.1:1936"}, {"b-2", "host.example:1"}}
	if got := o.List(); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	for text, want := range map[string]string{
		"10.0.0.1:1936":   "is not NAME=HOST:PORT",
		"a=10.0.0.1":      "is not NAME=HOST:PORT",
		"a=:1936":         "is not NAME=HOST:PORT",
		"a=h:1,":          "is not NAME=HOST:PORT",
		"a/b=h:1":         "is no name of another node",
		"origin=h:1":      "is no name of another node",
		"a=h:1,b=h:2,a=3": "is not NAME=HOST:PORT",
		"a=h:1,a=h:2":     "a is named twice",
	} {
		if err := o.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
}

func TestLinkTLS(t *testing.T) {
	c := Default()
	c.Node.Name = "n"
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	c.Link.TLSCert, c.Link.TLSKey = "a", "b"
	const want = "link.tls-cert, link.tls-key, link.tls-ca: 2 of the three are set"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v; want %s", err, want)
	}
}
