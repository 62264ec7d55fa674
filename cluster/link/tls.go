package link

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// LoadTLS reads a node's certificate and key, and the authority that all nodes' are of.
func LoadTLS(certFile, keyFile, authorityFile string) (*TLS, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(authorityFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: there is no certificate in it", authorityFile)
	}
	mine := []tls.Certificate{pair}
	return &TLS{
		Server: &tls.Config{
			Certificates: mine, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
			MinVersion: tls.VersionTLS13,
		},
		Client: &tls.Config{Certificates: mine, RootCAs: pool, MinVersion: tls.VersionTLS13},
	}, nil
}
