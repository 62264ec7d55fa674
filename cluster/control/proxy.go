package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

const (
	// forwardedHeader says which node passed a request on: it is not passed on again.
	forwardedHeader = "Headwater-Forwarded-By"
	// proxyTime bounds a request that another node answers, proxyBytes the answer.
	proxyTime  = 10 * time.Second
	proxyBytes = 16 << 20
)

// pass has the node that carries a broadcast answer in this one's place, and reports whether one
// does.
func (o *Options) pass(w http.ResponseWriter, r *http.Request, key string) bool {
	node, elsewhere := o.Cluster.active(r.Context(), key)
	if !elsewhere || r.Header.Get(forwardedHeader) != "" {
		return false
	}
	if node.HTTP == "" {
		o.fail(w, fmt.Errorf("node %s carries the broadcast and has no HTTP address", node.Name))
		return true
	}
	ctx, cancel := context.WithTimeout(r.Context(), proxyTime)
	defer cancel()
	proxy := &httputil.ReverseProxy{
		Transport: o.Cluster.Transport,
		ErrorLog:  slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: node.HTTP})
			p.Out.Host = node.HTTP
			p.Out.Header.Set(forwardedHeader, o.Cluster.Self.Name)
			p.Out.Header.Del("Cookie")
			p.Out.Header.Del("Authorization")
		},
		ModifyResponse: func(response *http.Response) error {
			if response.ContentLength > proxyBytes {
				return errors.New("the answer is too large")
			}
			response.Body = &limited{response.Body, proxyBytes}
			response.Header.Set("Headwater-Node", node.Name)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			o.fail(w, faulty(http.StatusBadGateway, fmt.Errorf("node %s: %w", node.Name, err)))
		},
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
	return true
}

// limited is a body that may be so long and no longer.
type limited struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errors.New("the answer is too large")
	}
	n, err := l.ReadCloser.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
