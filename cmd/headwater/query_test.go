package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestQueries asks a node that answers as one of a cluster.
func TestQueries(t *testing.T) {
	const nodes = `{"self":"a","member":true,"nodes":[{"name":"a","roles":["origin","edge"],` +
		`"state":"ready","rtmp":"a:1935","load":{"cpu":0.126,"memory":0.5,"viewers":3}}]}`
	const drained = `{"node":"a","state":"draining","broadcasts":0,"viewers":0,"empty":true}`
	for _, c := range []struct{ args, asked, answer, want string }{
		{
			"nodes", "GET /v1/nodes?", nodes,
			"NODE  ROLES        STATE  CPU  MEMORY  BROADCASTS  VIEWERS  RTMP    HTTP\n" +
				"a     origin,edge  ready  13%  50%     0           3        a:1935  -\n",
		},
		{
			"nodes", "GET /v1/nodes?", `{"self":"a","member":false,"nodes":[]}`,
			"NODE  ROLES  STATE  CPU  MEMORY  BROADCASTS  VIEWERS  RTMP  HTTP\n" +
				"a has lost its lease: this is what it knew before.\n",
		},
		{"nodes --json", "GET /v1/nodes?", nodes, nodes},
		{
			"ls", "GET /v1/broadcasts?",
			`{"broadcasts":[{"key":"live/a","epoch":7,"state":"live","viewers":2,"video":"avc1 2x2",` +
				`"node":"a","role":"active","standby":"b"},{"key":"live/b","state":"grace"}]}`,
			"KEY     STATE  NODE  ROLE    STANDBY  EPOCH  VIEWERS  VIDEO     AUDIO\n" +
				"live/a  live   a     active  b        7      2        avc1 2x2  -\n" +
				"live/b  grace  -     -       -        0      0        -         -\n",
		},
		{
			"placement live/a", "GET /v1/placement?key=live%2Fa",
			`{"key":"live/a","publish":{"node":"a","url":"rtmp://a:1935/live/a"},"watch":[` +
				`{"node":"e","flv":"http://e:8080/live/a.flv","weight":60},` +
				`{"node":"f","rtmp":"rtmp://f/live/a","weight":1}]}`,
			"publish  a  rtmp://a:1935/live/a\n" +
				"watch    e  http://e:8080/live/a.flv  weight 60\n" +
				"watch    f  rtmp://f/live/a           weight 1\n",
		},
		{
			"placement live/a", "GET /v1/placement?key=live%2Fa", `{"reason":"all are full"}`,
			"publish  -  all are full\n",
		},
		{"drain a", "POST /v1/nodes/a/drain?", drained, "a is empty\n"},
		{"drain a --move --stop", "POST /v1/nodes/a/drain?move=1&stop=1", drained, "a is empty\n"},
		{"drain a --json", "POST /v1/nodes/a/drain?", drained, drained},
		{
			"drain a --off", "DELETE /v1/nodes/a/drain?", `{"node":"a","state":"ready"}`,
			"a is ready\n",
		},
	} {
		var asked string
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery
			fmt.Fprint(w, c.answer)
		}))
		args := append(strings.Fields(c.args), "--url", node.URL)
		if got := command(Parts{}, nil, args...); got != (outcome{exitOK, c.want, ""}) {
			t.Errorf("%s: %+v, want %q", c.args, got, c.want)
		}
		if asked != c.asked {
			t.Errorf("%s asks %s, want %s", c.args, asked, c.asked)
		}
		node.Close()
	}
}

// TestDrainWaits asks until nothing is left.
func TestDrainWaits(t *testing.T) {
	var asked []string
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method)
		fmt.Fprintf(w, `{"node":"a","state":"draining","viewers":%d,"empty":%v}`, 3-len(asked),
			len(asked) == 3)
	}))
	defer node.Close()
	got := command(Parts{}, nil, "drain", "a", "--wait", "--url", node.URL)
	if got != (outcome{exitOK, "a is empty\n", ""}) || strings.Join(asked, " ") != "POST GET GET" {
		t.Errorf("%+v, asked %v", got, asked)
	}
	ends := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1/nodes":
			fmt.Fprint(w, `{"self":"b"}`)
		case r.Method == http.MethodPost:
			fmt.Fprint(w, `{"node":"b","state":"draining","empty":true}`)
		default:
			panic(http.ErrAbortHandler) // it is gone
		}
	}))
	defer ends.Close()
	got = command(Parts{}, nil, "drain", "--wait", "--stop", "--url", ends.URL)
	if got != (outcome{exitOK, "b has ended\n", ""}) {
		t.Errorf("%+v", got)
	}
	asked = nil
	got = command(Parts{}, nil, "drain", "a", "--url", node.URL)
	if got.stdout != "a is draining; broadcasts left: 0, viewers: 2\n" {
		t.Errorf("%+v", got)
	}
}
