package membership

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority makes certificates of its own.
type authority struct {
	t    *testing.T
	ca   string // file
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "*.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := pem.Encode(file, &pem.Block{Type: kind, Bytes: der}); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func newAuthority(t *testing.T) *authority {
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
	a := &authority{t: t, ca: writePEM(t, "CERTIFICATE", der), key: key}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue makes a certificate of a node, and its key.
func (a *authority) issue() (certFile, keyFile string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "node"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return writePEM(a.t, "CERTIFICATE", der), writePEM(a.t, "PRIVATE KEY", private)
}

// TestTLS has a client with a certificate of the authority, one with another's, and one with none.
func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	s := newScene(t)
	s.options.CertFile, s.options.KeyFile = ours.issue()
	s.options.AuthorityFile = ours.ca
	s.start()
	ask := func(ca, cert, key string) error {
		config, err := LoadTLS(ca, cert, key)
		if err != nil {
			t.Fatal(err)
		}
		c := s.clientBy(ClientOptions{Endpoints: []string{s.server.Endpoint()}, TLS: config})
		_, err = c.Get(t.Context(), Load, "k")
		return err
	}
	cert, key := ours.issue()
	if err := ask(ours.ca, cert, key); err != nil {
		t.Errorf("ours: %v", err)
	}
	session := NewSession(SessionOptions{
		Client: s.clientBy(ClientOptions{
			Endpoints: []string{s.server.Endpoint()}, TLS: mustTLS(t, ours.ca, cert, key),
		}),
		Changed: func(bool) {}, Log: quiet(),
	})
	session.Run(s.group())
	eventually(t, "held", 3*time.Second, func() bool { return session.Lease() != 0 })
	otherCert, otherKey := theirs.issue()
	for name, err := range map[string]error{
		"another's certificate": ask(ours.ca, otherCert, otherKey),
		"no certificate":        ask(ours.ca, "", ""),
		"another authority":     ask(theirs.ca, cert, key),
	} {
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func mustTLS(t *testing.T, ca, cert, key string) *tls.Config {
	t.Helper()
	config, err := LoadTLS(ca, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestUserAndPassword has etcd ask for a password, which a file holds.
func TestUserAndPassword(t *testing.T) {
	s := newScene(t)
	s.start()
	root := s.client()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := root.etcd.UserAdd(ctx, "root", "p4ss"); err != nil {
		t.Fatal(err)
	}
	if _, err := root.etcd.UserGrantRole(ctx, "root", "root"); err != nil {
		t.Fatal(err)
	}
	if _, err := root.etcd.AuthEnable(ctx); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("p4ss\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	password, err := ReadPassword(file)
	if err != nil {
		t.Fatal(err)
	}
	at := []string{s.server.Endpoint()}
	c := s.clientBy(ClientOptions{Endpoints: at, User: "root", Password: password})
	session := NewSession(SessionOptions{Client: c, Changed: func(bool) {}, Log: quiet()})
	session.Register("/a", []byte("1"))
	session.Run(s.group())
	eventually(t, "registered", 3*time.Second, func() bool { return s.value(c, "/a") == "1" })
	<-time.After(TTL + time.Second)
	if session.Lease() == 0 {
		t.Error("the lease is not kept")
	}

	if _, err := root.Get(ctx, Load, "/a"); !errors.Is(err, ErrDenied) {
		t.Errorf("without a password: %v", err)
	}
	_, err = NewClient(ClientOptions{
		Endpoints: at, User: "root", Password: "wrong", Log: quiet(), Metrics: newMetrics(t),
	})
	if !errors.Is(err, ErrDenied) {
		t.Errorf("with a wrong password: %v", err)
	}
}
