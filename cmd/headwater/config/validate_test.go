package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate and its key, and returns their paths.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der},
		key:  {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestValidate(t *testing.T) {
	cert, key := certificate(t)
	_, otherKey := certificate(t)
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // or nothing
	}{
		"defaults": {func(*Config) {}, ""},
		"any ports": {func(c *Config) {
			c.RTMP.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
		}, ""},
		"RTMPS alone": {func(c *Config) {
			c.RTMP = RTMP{TLSListen: ":1936", TLSCert: cert, TLSKey: key}
		}, ""},

		"no name":   {func(c *Config) { c.Node.Name = "" }, `node.name: "" is not 1 to 64 of`},
		"long name": {func(c *Config) { c.Node.Name = strings.Repeat("a", 65) }, "node.name: "},
		"odd name":  {func(c *Config) { c.Node.Name = "a/b" }, `node.name: "a/b" is not`},
		"no RTMP": {
			func(c *Config) { c.RTMP.Listen = "" },
			"rtmp.listen: is empty, and so is rtmp.tls-listen; set one of them",
		},
		"no HTTP": {func(c *Config) { c.HTTP.Listen = "" }, "http.listen: is empty; try :8080"},
		"one address twice": {
			func(c *Config) { c.HTTP.Listen = ":1935" },
			"http.listen: :1935 is taken by rtmp.listen",
		},
		"certificate without RTMPS": {
			func(c *Config) { c.RTMP.TLSCert = cert },
			"rtmp.tls-listen: is empty, but a certificate or key is set",
		},
		"RTMPS without a certificate": {
			func(c *Config) { c.RTMP.TLSListen, c.RTMP.TLSKey = ":1936", key },
			"rtmp.tls-cert: is empty; RTMPS on :1936 needs one",
		},
		"RTMPS without a key": {
			func(c *Config) { c.RTMP.TLSListen, c.RTMP.TLSCert = ":1936", cert },
			"rtmp.tls-key: is empty; RTMPS on :1936 needs one",
		},
		"no such certificate": {
			func(c *Config) { c.RTMP = RTMP{":1", ":2", cert + "x", key} },
			"rtmp.tls-cert, rtmp.tls-key: open " + cert + "x: no such file",
		},
		"another's key": {
			func(c *Config) { c.RTMP = RTMP{":1", ":2", cert, otherKey} },
			"private key does not match public key",
		},
		"more behind than kept": {
			func(c *Config) { c.Topic.Time = Duration(2 * time.Second) },
			"viewer.max-behind: 3s is more than topic.time keeps, 2s",
		},
		"a message that is not kept": {
			func(c *Config) { c.Topic.Bytes = 1 << 20 },
			"limits.message: 8MiB is more than topic.bytes keeps, 1MiB",
		},
		"more that negotiate than there are": {
			func(c *Config) { c.Limits.Connections = 10 },
			"limits.negotiating: 1000 is more than limits.connections, 10",
		},
	} {
		config := Default()
		config.Node.Name = "node"
		c.change(&config)
		err := config.Validate()
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestLoadValidates has two things wrong that only the whole shows.
func TestLoadValidates(t *testing.T) {
	file := write(t, "http: {listen: ':1935'}\nlimits: {connections: 1}\n")
	_, err := Load(Sources{File: file})
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Fatal(err)
	}
}
