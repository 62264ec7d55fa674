package web_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headwater-live/headwater/cluster/control/web"
)

// node answers what the page asks of a node, with the demo broadcast on one key.
type node struct {
	*httptest.Server
	flv []byte
	// cut ends each media connection after this many tags; 0 means never.
	cut     atomic.Int64
	viewers atomic.Int64
	served  atomic.Int64
}

func startNode(t *testing.T) *node {
	t.Helper()
	flv, err := os.ReadFile("../../../cmd/headwater/demo/demo.flv")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{flv: flv}
	mux := http.NewServeMux()
	page := http.FileServerFS(web.Files())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", web.ContentSecurityPolicy)
		page.ServeHTTP(w, r)
	})
	mux.HandleFunc("/v1/broadcasts", n.broadcasts)
	mux.HandleFunc("/debug/tree", n.tree)
	mux.HandleFunc("/live/demo.flv", n.media)
	n.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		n.CloseClientConnections()
		n.Close()
	})
	return n
}

func (n *node) broadcasts(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"broadcasts":[
		{"key":"live/demo","epoch":1,"state":"live","viewers":%d,"video":"avc1 640x360",
		 "audio":"mp4a 48000","bitrate_bps":240000,"since":"2026-01-02T03:04:05Z"},
		{"key":"live/<b>other</b>","epoch":3,"state":"grace","viewers":0,"video":"","audio":"",
		 "bitrate_bps":0,"since":"2026-01-02T03:04:05Z"}]}`, n.viewers.Load())
}

func (n *node) tree(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "[node]                    rest-for-one\n"+
		"├── (directory)           permanent     up 12 s   restarts 0   mailbox 0\n"+
		"├── [broadcasts]          dynamic\n"+
		"│   └── [live/demo.1]     rest-for-one  up 12 s   restarts 0\n"+
		"│       ├── (topic/main)  permanent     up 12 s   restarts 0   mailbox 1\n"+
		"│       └── (ingest)      temporary     up 12 s   goroutines 2\n"+
		"└── [listeners]           one-for-one\n"+
		"    ├── (rtmp)            permanent     up 12 s   goroutines 1\n"+
		"    └── (http)            permanent     up 12 s   goroutines 1\n")
}

// media sends the demo broadcast round after round in real time, the first GOP at once as a node
// with a GOP cache does.
func (n *node) media(w http.ResponseWriter, r *http.Request) {
	n.viewers.Add(1)
	defer n.viewers.Add(-1)
	n.served.Add(1)
	w.Header().Set("Content-Type", "video/x-flv")
	if _, err := w.Write(n.flv[:13]); err != nil {
		return
	}
	const burst = time.Second
	began := time.Now().Add(-burst)
	tags := int64(0)
	for round := uint32(0); ; round++ {
		for at := 13; at < len(n.flv); {
			tag := n.flv[at:][:11+binary.BigEndian.Uint32(n.flv[at:])&0xffffff+4]
			at += len(tag)
			stamp := binary.BigEndian.Uint32(tag[4:8]) >> 8
			due := began.Add(time.Duration(stamp+round*8000) * time.Millisecond)
			if !sendTag(w, r, tag, stamp+round*8000, due) {
				return
			}
			tags++
			if cut := n.cut.Load(); cut > 0 && tags > cut {
				return
			}
		}
	}
}

// sendTag sends one FLV tag with another timestamp when it is due.
func sendTag(w http.ResponseWriter, r *http.Request, tag []byte, ms uint32, due time.Time) bool {
	if wait := time.Until(due); wait > 0 {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return false
		case <-time.After(wait):
		}
	}
	tag = append([]byte(nil), tag...)
	binary.BigEndian.PutUint32(tag[4:], ms<<8|ms>>24)
	tag[7] = byte(ms >> 24)
	_, err := w.Write(tag)
	return err == nil
}
