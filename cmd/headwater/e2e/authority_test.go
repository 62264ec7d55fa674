package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"flag"
	"math/big"
	"net"
	"testing"
	"time"
)

// authorityOf certificates for links.
type authorityOf struct {
	ca   string // file
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func authority(t *testing.T) *authorityOf {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "headwater test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authorityOf{ca: writePEM(t, "CERTIFICATE", der), key: key}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// withTLS has the clusters of tests talk by TLS only: links, control messages, and etcd.
var withTLS = flag.Bool("tls", false, "links, control messages and etcd of clusters by TLS")

// secured are the flags by which all nodes of a cluster talk as withTLS says, and how its etcd is
// addressed.
func secured(t *testing.T) (flags []string, scheme string) {
	t.Helper()
	if !*withTLS {
		return nil, "http://"
	}
	links := authority(t).flags(t)
	return append(links, authority(t).etcdFlags(t)...), "https://"
}

// etcdFlags are those by which a node comes to an etcd of the authority, or carries it.
func (a *authorityOf) etcdFlags(t *testing.T) []string {
	t.Helper()
	return renamed(a.flags(t))
}

// flags are those of a node that has a certificate of the authority.
func (a *authorityOf) flags(t *testing.T) []string {
	t.Helper()
	return a.flagsUntil(t, time.Now().Add(time.Hour))
}

// flagsUntil are flags with a certificate that is valid until then.
func (a *authorityOf) flagsUntil(t *testing.T, end time.Time) []string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "node"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"--link.tls-cert", writePEM(t, "CERTIFICATE", der),
		"--link.tls-key", writePEM(t, "PRIVATE KEY", private), "--link.tls-ca", a.ca,
	}
}
