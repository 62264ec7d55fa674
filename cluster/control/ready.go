package control

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Readiness is the answer of GET /readyz to who accepts JSON.
type Readiness struct {
	Ready    bool `json:"ready"`
	Draining bool `json:"draining"`
	// Member is whether the node has its lease in the cluster. Without it, it takes no publisher,
	// and goes on giving out what it has: media outlives control.
	Member bool `json:"member"`
	// Weight is 1 to 100, by how much CPU and memory are free, 0 while the node takes nobody.
	Weight int    `json:"weight"`
	Reason string `json:"reason"`
}

// ready says whether a load balancer may send somebody here. A node whose lease is lost stays
// ready: viewers that it has, and those to come, are served by links that are up; were it taken out
// of rotation for etcd's sake, an etcd that is away would take all nodes out.
func (o *Options) ready(w http.ResponseWriter, r *http.Request) {
	self, err := o.self(r.Context())
	is := Readiness{Ready: true, Member: true, Weight: self.Weight, Reason: "ok"}
	if !o.Cluster.alone() && !o.Cluster.View().Member {
		is.Member = false
		is.Reason = "ok; the lease is lost: no new publisher is taken until the cluster's etcd answers"
	}
	if self.State == stateDraining {
		is.Ready, is.Draining, is.Weight, is.Reason = false, true, 0, "draining"
	}
	if err != nil {
		is.Ready, is.Weight, is.Reason = false, 0, err.Error()
	}
	status := http.StatusOK
	if !is.Ready {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Headwater-Weight", strconv.Itoa(is.Weight))
	w.Header().Set("Cache-Control", "no-store")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(&is) // whoever asked may be gone
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(is.Reason + "\n"))
}
