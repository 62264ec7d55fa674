package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// certificate writes a self-made certificate and its key, and returns the files and what trusts it.
func certificate(t *testing.T) (certFile, keyFile string, trust *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "headwater test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1"}
	trust.RootCAs.AddCert(parsed)
	return writePEM(t, "CERTIFICATE", der), writePEM(t, "PRIVATE KEY", private), trust
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRTMPS publishes and plays by RTMP over TLS: by ffmpeg, and by clients who know every byte.
func TestRTMPS(t *testing.T) {
	t.Parallel()
	units := film.get(t)
	cert, key, trust := certificate(t)
	n := startNode(t, "--rtmp.tls-listen", "127.0.0.1:0", "--rtmp.tls-cert", cert,
		"--rtmp.tls-key", key)
	url := "rtmps://" + n.rtmps + "/live/show"
	encode(t, url, "-tls_verify", "0")
	n.awaitState(t, "show", 1, "live")
	want := []string{"aac 44100", "h264 320x180"}
	for _, from := range []string{url, n.rtmpURL("show")} {
		if got := probe(t, from); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", from, got, want)
		}
	}

	secure := func() net.Conn { return tls.Client(dial(t, n.rtmps), trust) }
	p, err := publishOn(t, secure(), "film")
	if err != nil {
		t.Fatal(err)
	}
	viewers := []*viewer{watchRTMPOn(t, secure(), "film"), watchFLV(t, n, "film")}
	p.feed(t, units)
	for _, v := range viewers {
		v.awaitUnits(t, 150)
	}
	settle(t, p, viewers...)
	for _, v := range viewers {
		v.leave(t)
	}
	await(t, "the node has noticed that they left", func() bool {
		return n.metric(t, "headwater_viewers") == 0
	})
	n.tlsRefusesPlain(t)
}

// tlsRefusesPlain makes sure that the address speaks TLS only, and lives through who does not.
func (n *node) tlsRefusesPlain(t *testing.T) {
	t.Helper()
	if _, err := negotiate(dial(t, n.rtmps)); err == nil {
		t.Error("the TLS address takes plain RTMP")
	}
}
