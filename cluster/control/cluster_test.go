package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cluster/wire"
)

// Drain implements Drainer.
func (n *node) Drain(order actors.DrainOrder) {
	n.drained.Draining, n.moved = !order.Off, order.Move
}

// StopWhenEmpty implements Drainer.
func (n *node) StopWhenEmpty(on bool) { n.stops = on }

// Drained implements Drainer.
func (n *node) Drained() actors.Drained { return n.drained }

// clustered is a node of two, here and there, and what it asks of there.
type clustered struct {
	*node
	asked  []string
	reply  any
	err    error
	view   View
	states []bool
}

func newClustered() *clustered {
	return &clustered{node: &node{}, view: View{
		Member: true,
		Nodes: []NodeView{
			{
				Name: "here", Roles: []string{"origin"}, State: stateReady, RTMP: "h:1", HTTP: "h:2",
				Load: LoadView{CPU: 0.25},
			},
			{
				Name: "there", Roles: []string{"origin", "edge"}, State: stateReady, RTMP: "t:1",
				HTTP: "t:2", Load: LoadView{Memory: 0.5, Viewers: 3},
			},
		},
		Carried: []Carried{
			{Key: "live/a", Node: "there", Role: "active", Epoch: 7, Publishing: true, Standby: "here"},
			{Key: "live/a", Node: "here", Role: "active", Epoch: 6},
			{Key: "live/a", Node: "here", Role: "standby", Epoch: 7},
			{Key: "live/b", Node: "here", Role: "active", Epoch: 2},
			{Key: "live/moved", Node: "there", Role: "active", Epoch: 2},
		},
	}}
}

func (c *clustered) handler() http.Handler {
	return Handler(Options{
		Node: c.node, Drainer: c.node, Gatherer: prometheus.NewRegistry(),
		Log: slog.New(slog.DiscardHandler), FLV: http.NotFoundHandler(),
		Cluster: Cluster{
			Self: NodeView{Name: "here"},
			View: func() View { return c.view },
			Place: func(string) Placing {
				return Placing{Origin: &c.view.Nodes[1], Edges: c.view.Nodes[1:]}
			},
			Here: func(_ context.Context, key string) uint64 {
				return map[string]uint64{"live/moved": 3}[key]
			},
			Ask: func(_ context.Context, node string, q any) (any, error) {
				c.asked = append(c.asked, fmt.Sprintf("%s %T", node, q))
				return c.reply, c.err
			},
			SetState: func(_ context.Context, draining bool) error {
				c.states = append(c.states, draining)
				return nil
			},
		},
	})
}

// A command goes to the node that carries the broadcast, whichever takes it.
func TestCommandElsewhere(t *testing.T) {
	c := newClustered()
	c.reply = &settings.Answer{
		ID: "1", Key: "live/a", Version: 3, Epoch: 7, State: settings.Live, Node: "there",
	}
	w := send(c.handler(), "POST", blurPath, `{"id":"1","off":true}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"epoch":7,"state":"live"`) ||
		!strings.Contains(w.Body.String(), `"node":"there"`) || len(c.commands) != 0 ||
		fmt.Sprint(c.asked) != "[there *settings.Command]" {
		t.Errorf("%d %s, asked %v", w.Code, w.Body, c.asked)
	}
	for err, status := range map[error]int{
		&settings.Refused{Reason: "too small"}:              422,
		fmt.Errorf("node there: %w", wire.ErrNode):          503,
		fmt.Errorf("%w: it has version 1", wire.ErrUnknown): 501,
		fmt.Errorf("%w: x", wire.ErrNotFound):               404,
	} {
		c.err = err
		holds(t, "command", send(c.handler(), "POST", blurPath, `{"off":true}`), status, err.Error())
	}
	for _, key := range []string{"live/b", "live/none", "live/moved"} {
		c := newClustered()
		send(c.handler(), "POST", "/v1/broadcasts/"+key+"/blur", `{"off":true}`)
		if len(c.asked) != 0 || len(c.commands) != 1 {
			t.Errorf("%s: asked %v, commanded %v", key, c.asked, c.commands)
		}
	}
}

func TestNodes(t *testing.T) {
	c := newClustered()
	w := get(c.handler(), "GET", "/v1/nodes")
	for _, want := range []string{
		`{"self":"here","member":true,"nodes":[{"name":"here","roles":["origin"],"state":"ready"`,
		`"weight":75`, `"weight":50`, `"load":{"cpu":0,"memory":0.5,"broadcasts":0,"viewers":3,`,
	} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
	}
	alone := Handler(Options{
		Node: &node{}, Gatherer: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
		FLV: http.NotFoundHandler(),
		Cluster: Cluster{Self: NodeView{
			Name: "one", Roles: []string{"origin"}, RTMP: "o:1", HTTP: "o:2",
		}},
	})
	w = get(alone, "GET", "/v1/nodes")
	if want := `"nodes":[{"name":"one","roles":["origin"],"state":"ready"`; !strings.
		Contains(w.Body.String(), want) {
		t.Errorf("a node by itself: %d %s", w.Code, w.Body)
	}
	w = get(alone, "GET", "/v1/placement?key=live/a")
	if want := `{"key":"live/a","publish":{"node":"one","url":"rtmp://o:1/live/a"},"watch":[{"node":` +
		`"one","flv":"http://o:2/live/a.flv","rtmp":"rtmp://o:1/live/a","weight":100}]}` + "\n"; w.
		Body.String() != want {
		t.Errorf("a node by itself: %s, want %s", w.Body, want)
	}
}

func TestPlacement(t *testing.T) {
	c := newClustered()
	h := c.handler()
	want := `{"key":"live/a","publish":{"node":"there","url":"rtmp://t:1/live/a"},"watch":[{"node":` +
		`"there","flv":"http://t:2/live/a.flv","rtmp":"rtmp://t:1/live/a","weight":50}]}` + "\n"
	if w := get(h, "GET", "/v1/placement?key=live/a"); w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %s, want %s", w.Code, w.Body, want)
	}
	holds(t, "key", get(h, "GET", "/v1/placement?key=a"), 400, "not a broadcast key")
	holds(t, "none", get(h, "GET", "/v1/placement"), 400, "not a broadcast key")
	holds(t, "post", send(h, "POST", "/v1/placement?key=live/a", ""), 405, "want GET or HEAD")
	c.view.Nodes[1].RTMP = ""
	if w := get(h, "GET", "/v1/placement?key=live/a"); !strings.Contains(w.Body.String(),
		`"publish":null,"reason":"no node takes a publisher now"`) {
		t.Errorf("nowhere: %s", w.Body)
	}
}

func TestDrain(t *testing.T) {
	c := newClustered()
	h := c.handler()
	c.drained = actors.Drained{Broadcasts: 1, Viewers: 2}
	const path = "/v1/nodes/here/drain"
	want := `{"node":"here","state":"draining","broadcasts":1,"viewers":2,"feeds":0,` +
		`"standbys":0,"empty":false}` + "\n"
	if w := send(h, "POST", path, ""); w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %s, want %s", w.Code, w.Body, want)
	}
	if w := get(h, "GET", "/readyz"); w.Code != 503 || w.Body.String() != "draining\n" ||
		w.Header().Get("Headwater-Weight") != "0" {
		t.Errorf("ready: %d %s %v", w.Code, w.Body, w.Header())
	}
	c.drained.Broadcasts, c.drained.Viewers = 0, 0
	if w := get(h, "GET", path); !strings.Contains(w.Body.String(), `"empty":true`) {
		t.Errorf("empty: %s", w.Body)
	}
	if w := send(h, "DELETE", path, ""); !strings.Contains(w.Body.String(), `"state":"ready"`) {
		t.Errorf("undone: %d %s", w.Code, w.Body)
	}
	if fmt.Sprint(c.states) != "[true false]" {
		t.Errorf("the others are told %v", c.states)
	}
	send(h, "POST", path+"?move=1&stop=1", "")
	if !c.moved || !c.stops {
		t.Errorf("moved %v, stops %v", c.moved, c.stops)
	}
	if send(h, "POST", path, ""); !c.stops {
		t.Error("it does not stop any more, as it was drained again")
	}
	if send(h, "DELETE", path, ""); c.stops {
		t.Error("it stops, although it does not drain any more")
	}
	holds(t, "what", send(h, "POST", path+"?mov=1", ""), 400, `\"mov\": move=1 and stop=1 are known`)
	c.reply = &wire.Drained{Draining: true, Feeds: 3}
	if w := send(h, "POST", "/v1/nodes/there/drain", ""); !strings.Contains(w.Body.String(),
		`"feeds":3,"standbys":0,"empty":false`) {
		t.Errorf("there: %s", w.Body)
	}
	if fmt.Sprint(c.asked) != "[there *wire.Drain there *wire.Left]" {
		t.Errorf("asked %v", c.asked)
	}
	c.view.Nodes[1].State, c.reply, c.err = stateDraining, nil, nil
	c.err = fmt.Errorf("%w: it has version 1", wire.ErrUnknown) // an older node
	if w := get(h, "GET", "/v1/nodes/there/drain"); !strings.Contains(w.Body.String(),
		`"state":"draining","broadcasts":0,"viewers":3`) {
		t.Errorf("an older one: %s", w.Body)
	}
	holds(t, "none", send(h, "POST", "/v1/nodes/x/drain", ""), 404, `there is no node \"x\"`)
	holds(t, "path", send(h, "POST", "/v1/nodes/here/stop", ""), 404, "there is no /v1/nodes/here/s")
	holds(t, "put", send(h, "PUT", path, ""), 405, "want GET or HEAD or POST or DELETE")
	holds(t, "cross", send(h, "POST", path, "", "Sec-Fetch-Site", "cross-site"), 403, "cross-origin")
}

// A node whose lease is lost gives out what it has.
func TestReady(t *testing.T) {
	c := newClustered()
	if w := get(c.handler(), "GET", "/readyz"); w.Code != 200 || w.Body.String() != "ok\n" ||
		w.Header().Get("Headwater-Weight") != "75" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	c.view.Member = false
	if w := get(c.handler(), "GET", "/readyz"); w.Code != 200 ||
		!strings.HasPrefix(w.Body.String(), "ok; the lease is lost") {
		t.Errorf("without its lease: %d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest("GET", "/readyz", nil)
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	c.handler().ServeHTTP(w, r)
	if want := `{"ready":true,"draining":false,"member":false,"weight":75,"reason":"ok; the`; !strings.
		HasPrefix(w.Body.String(), want) {
		t.Errorf("%s, want %s", w.Body, want)
	}
}

// What all nodes carry is told by each of them.
func TestBroadcastsEverywhere(t *testing.T) {
	c := newClustered()
	c.broadcasts = []actors.Broadcast{
		{Located: directory.Located{Key: "live/b", Epoch: 2}, Viewers: 4},
		{Located: directory.Located{Key: "live/c", Epoch: 1, Publishing: true}},
	}
	c.reply = &wire.Listed{Broadcasts: []wire.Broadcast{
		{Key: "live/a", Viewers: 9, Bitrate: 5, Since: time.Unix(0, 0)},
	}}
	w := get(c.handler(), "GET", "/v1/broadcasts")
	for _, want := range []string{
		`{"key":"live/a","epoch":7,"state":"live","viewers":9,"bitrate_bps":5,` +
			`"since":"1970-01-01T00:00:00Z","node":"there","role":"active","standby":"here"}`,
		`"key":"live/b","epoch":2,"state":"grace","viewers":4,`,
		`"key":"live/c","epoch":1,"state":"live",`,
		`"node":"here","role":"standby"`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s, want %s", w.Body, want)
		}
	}
	c.reply, c.err = nil, errors.New("away")
	if w := get(c.handler(), "GET", "/v1/broadcasts"); w.Code != 200 ||
		!strings.Contains(w.Body.String(), `"node":"there"`) {
		t.Errorf("with the other away: %d %s", w.Code, w.Body)
	}
}

// What is asked of a broadcast elsewhere is answered by the node that has it, and passed on once.
func TestPass(t *testing.T) {
	var seen []string
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.String()+" "+r.Header.Get(forwardedHeader)+
			r.Header.Get("Authorization"))
		w.Header().Set("ETag", `"7-1"`)
		if r.URL.Query().Get("rendition") == "large" {
			w.Header().Set("Content-Length", "99999999")
		}
		_, _ = io.WriteString(w, "jpeg")
	}))
	defer there.Close()
	c := newClustered()
	c.view.Nodes[1].HTTP = strings.TrimPrefix(there.URL, "http://")
	h := c.handler()
	const path = "/v1/broadcasts/live/a/snapshot.jpg"
	w := send(h, "GET", path+"?rendition=480p", "", "Authorization", "secret")
	if w.Code != 200 || w.Body.String() != "jpeg" || w.Header().Get("ETag") != `"7-1"` ||
		w.Header().Get("Headwater-Node") != "there" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if want := "[GET " + path + "?rendition=480p here]"; fmt.Sprint(seen) != want {
		t.Errorf("there is asked %v, want %s", seen, want)
	}
	holds(t, "large", get(h, "GET", path+"?rendition=large"), 502, "too large")
	c.node.err = errors.New("asked here")
	holds(t, "loop", send(h, "GET", path, "", forwardedHeader, "there"), 503, "asked here")
	holds(t, "b", get(h, "GET", "/v1/broadcasts/live/b/settings"), 503, "asked here")
	there.Close()
	holds(t, "away", get(h, "GET", path), 502, "node there: ")
	c.view.Nodes[1].HTTP = ""
	holds(t, "no address", get(h, "GET", path), 503, "has no HTTP address")
}

// A standby's role counts as left as long as another origin could have it.
func TestStandbysLeft(t *testing.T) {
	origin := func(name, state string) NodeView {
		return NodeView{Name: name, Roles: []string{"origin"}, State: state}
	}
	v := View{Carried: []Carried{
		{Key: "live/a", Node: "a", Role: "active", Epoch: 7},
		{Key: "live/a", Node: "old", Role: "active", Epoch: 6},
		{Key: "live/a", Node: "b", Role: "standby", Epoch: 7},
	}}
	for name, c := range map[string]struct {
		third string
		want  int
	}{"another": {stateReady, 1}, "another that drains": {stateDraining, 0}} {
		v.Nodes = []NodeView{origin("a", stateReady), origin("b", stateDraining), origin("c", c.third)}
		if got := standbys(v, "b"); got != c.want {
			t.Errorf("%s: %d are left, want %d", name, got, c.want)
		}
	}
}
