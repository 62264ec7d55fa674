package control

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/cluster/control/web"
)

// Options make the handler.
type Options struct {
	Node     Node
	Gatherer prometheus.Gatherer
	Log      *slog.Logger
	// FLV serves what ends in .flv.
	FLV http.Handler
	// RTMPPort is where the node takes RTMP, 0 if it does not.
	RTMPPort int
	// Cluster is what the node knows of others.
	Cluster Cluster
	// Drainer drains the node; it may be nil.
	Drainer Drainer
	// Drills allows POST /debug/drill, which makes actors fail. It is for tests.
	Drills bool
}

// Handler returns the handler of a node's HTTP address.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", page())
	mux.HandleFunc("GET /debug/tree", o.tree)
	mux.HandleFunc("GET /healthz", o.health)
	mux.HandleFunc("GET /readyz", o.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelError), Timeout: 10 * time.Second,
	}))
	api := o.api()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, ".flv"):
			o.FLV.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/v1/"), r.URL.Path == "/debug/drill":
			api.ServeHTTP(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// api returns what programs talk to, whose errors are problem documents.
func (o *Options) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		o.fail(w, faulty(http.StatusNotFound, errors.New("there is no "+r.URL.Path)))
	})
	mux.HandleFunc("/v1/broadcasts", o.broadcasts)
	mux.HandleFunc("/v1/broadcasts/{path...}", o.about)
	mux.HandleFunc("/v1/nodes", o.listNodes)
	mux.HandleFunc("/v1/nodes/{path...}", o.drain)
	mux.HandleFunc("/v1/placement", o.placement)
	mux.HandleFunc("/debug/drill", o.drill)
	return mux
}

// page serves the static files of the page.
func page() http.Handler {
	files := http.FileServerFS(web.Files())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", web.ContentSecurityPolicy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		files.ServeHTTP(w, r)
	})
}

// tree writes the live tree as text; with ?all=1 all of it.
func (o *Options) tree(w http.ResponseWriter, r *http.Request) {
	limit := supervise.Siblings
	if r.URL.Query().Get("all") != "" {
		limit = 0
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := o.Node.DrawTree(w, limit); err != nil {
		o.Log.Debug("tree is not delivered", slog.Any("error", err))
	}
}

// health answers once the listeners are up, which is when it can be asked.
func (o *Options) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n") // whoever asked may be gone
}

func (o *Options) broadcasts(w http.ResponseWriter, r *http.Request) {
	if !o.reads(w, r) {
		return
	}
	broadcasts, err := o.Node.Broadcasts()
	if err != nil {
		o.fail(w, err)
		return
	}
	answer := describeAll(broadcasts)
	if !o.Cluster.alone() {
		answer.Broadcasts = o.everywhere(r.Context(), answer.Broadcasts)
	}
	answer.RTMPPort = o.RTMPPort
	o.answer(w, answer)
}
