package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/headwater-live/headwater/codec/media"
)

// small is what the tests use that look at commands, not at pictures for people.
var small = shot{
	marker: newMarker(wide, 24, 9), width: 320, height: 180, input: synthetic("320x180", 25),
	length: 12, flags: []string{"-b:v", "800k", "-maxrate", "800k", "-bufsize", "800k", "-g", "25"},
}

// TestPolicyAlways has a node process every broadcast always: not even the first picture is the
// publisher's own, nor any after a blur has come and gone.
func TestPolicyAlways(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--processing.policy", "always")
	units := small.long(t, 60)
	viewers := watchBoth(t, n, "show")
	publish(t, n, "show").feed(t, units)
	awaitPTS(t, viewers, 1500)
	on := n.blur(t, "show", "box", wide).mustState(t, "live")
	awaitPTS(t, viewers, on.PTS+700)
	off := n.blur(t, "show", "").mustState(t, "live")
	awaitPTS(t, viewers, off.PTS+700)
	for _, v := range viewers {
		v.leave(t)
		got := v.got()
		if own := count(got, ownOf(units)); own != 0 {
			t.Errorf("%s: %d pictures are the publisher's own", v.name, own)
		}
		all := small.marker.read(t, v.name, got)
		if len(all) < 40 || all[0].pts >= 1000 { // on a busy machine the first ones are left out
			t.Errorf("%s: %d pictures, the first at %d ms", v.name, len(all), all[0].pts)
		}
		checkStep(t, v.name, step{"", 0}, between(all, 0, on.PTS))
		checkStep(t, v.name, step{"box", on.PTS}, between(all, on.PTS, off.PTS))
		checkStep(t, v.name, step{"", off.PTS}, between(all, off.PTS, 1<<40))
		checkDecodes(t, v.name, got)
	}
}

// ownOf tells whether a picture is one of a publisher's, byte by byte.
func ownOf(sent []unit) func(unit) bool {
	known := map[string]bool{}
	for _, u := range sent {
		if u.kind == media.Video && !u.header() {
			known[string(u.body)] = true
		}
	}
	return func(u unit) bool { return u.kind == media.Video && known[string(u.body)] }
}

// TestPolicyChanges has the policy commanded while the broadcast runs, to and fro.
func TestPolicyChanges(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	units := small.long(t, 60)
	own := ownOf(units)
	viewers := watchBoth(t, n, "show")
	publish(t, n, "show").feed(t, units)
	awaitPTS(t, viewers, 500)
	always := n.always(t, "show", true).mustState(t, "live")
	awaitPTS(t, viewers, always.PTS+1000)
	asked := n.always(t, "show", false).mustState(t, "live")
	t.Logf("always: %v; not any more: %v", always, asked)
	awaitPTS(t, viewers, asked.PTS+2000)
	for _, v := range viewers {
		v.leave(t)
		got := v.got()
		for _, u := range got {
			pts := latestPTS([]unit{u})
			if pts >= always.PTS && pts < asked.PTS && own(u) {
				t.Errorf("%s: the picture at %d ms is the publisher's own", v.name, pts)
			}
		}
		if count(got, own) < 20 || !own(got[slices.IndexFunc(got, unit.picture)]) ||
			count(got[len(got)-20:], own) == 0 {
			t.Errorf("%s: %d pictures are the publisher's own", v.name, count(got, own))
		}
		checkRising(t, v.name, got)
		checkDecodes(t, v.name, got)
	}
}

// TestStored has a blur commanded before the publisher comes. It holds from his first picture on,
// and from the first one of the next publishers of the key.
func TestStored(t *testing.T) {
	t.Parallel()
	n := startNode(t, "--publish.grace", "1s", "--viewer.wait", "10m")
	a := n.blur(t, "show", "box", wide).mustState(t, "stored")
	if a.Version != 1 || a.Epoch != 0 {
		t.Errorf("%v", a)
	}
	first := watchBoth(t, n, "show")
	for epoch := 1; epoch <= 2; epoch++ {
		p := publish(t, n, "show")
		p.feed(t, small.units(t))
		n.awaitState(t, "show", epoch, "live")
		awaitShown(t, first, epoch)
		p.halt()
		p.conn.Close()
		n.awaitState(t, "show", epoch, "grace")
	}
	await(t, "the broadcast has ended", func() bool { return len(n.broadcasts(t)) == 0 })
	later := watchBoth(t, n, "show")
	publish(t, n, "show").feed(t, small.units(t))
	awaitShown(t, later, 1)
	for _, v := range append(first, later...) {
		all := small.marker.read(t, v.name, v.got())
		_, greatest := extremes(all)
		t.Logf("%s: %d pictures, contrast %.1f at most", v.name, len(all), greatest)
		if greatest > unreadable || len(all) < 30 {
			t.Errorf("%s: %d pictures, contrast up to %.1f", v.name, len(all), greatest)
		}
	}
}

// TestCommandTwice has the same command come again, one after the other and at once: it is carried
// out once.
func TestCommandTwice(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewers := watchBoth(t, n, "show")
	publish(t, n, "show").feed(t, small.long(t, 60))
	awaitPTS(t, viewers, 300)
	blur := blurring{ID: "once", Mode: "box", Rects: []rect{wide}}
	answers := make([]answer, 4)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			_, text := n.send(t, http.MethodPost, "/v1/broadcasts/live/show/blur", blur)
			if err := json.Unmarshal([]byte(text), &answers[i]); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	n.blur(t, "show", "").mustState(t, "live")
	answers = append(answers, n.command(t, http.MethodPost, "show", "blur", blur))
	for _, a := range answers {
		if a != answers[0] || a.Version != 1 || a.State != "live" || a.ID != "once" {
			t.Errorf("%+v, the first one was %+v", a, answers[0])
		}
	}
	if _, text := n.get(t, "/v1/broadcasts/live/show/blur"); !strings.Contains(text, `"off":true`) {
		t.Errorf("the blur came back with a command that was old: %s", text)
	}
}

// TestCommandErrors has a node refuse what is no command, and say why.
func TestCommandErrors(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	const blur = "/v1/broadcasts/live/show/blur"
	const renditions = "/v1/broadcasts/live/show/renditions"
	const all = `{"x":0,"y":0,"w":1,"h":1}`
	rects := func(r string) string { return `{"rects":[` + r + `]}` }
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", blur, ``, 400, "empty"},
		{"POST", blur, `{"rects":`, 400, "too early"},
		{"POST", blur, `{}`, 400, "rects is missing"},
		{"POST", blur, `{"rect":[]}`, 400, "no field"},
		{"POST", blur, rects(`{"x":0,"y":0,"w":1}`), 400, "rects[0]"},
		{"POST", blur, rects(`{"x":0,"y":0,"w":0,"h":1}`), 422, "rectangle 0"},
		{"POST", blur, rects(`{"x":2,"y":0,"w":1,"h":1}`), 422, "rectangle 0"},
		{"POST", blur, rects(`{"x":-0.1,"y":0,"w":1,"h":1}`), 422, "rectangle 0"},
		{"POST", blur, `{"mode":"mist","rects":[` + all + `]}`, 422, "mist"},
		{"POST", blur, rects(strings.Repeat(all+",", 16) + all), 422, "16"},
		{"POST", blur, `{"off":true,"rects":[{"x":0,"y":0,"w":1,"h":1}]}`, 400, "off"},
		{"POST", blur, `{"id":"` + strings.Repeat("x", 65) + `","off":true}`, 422, "65 bytes"},
		{"POST", blur, `{"off":true,"more":"` + strings.Repeat("x", 70_000) + `"}`, 413, "larger"},
		{"DELETE", blur, ``, 405, "DELETE"},
		{"POST", "/v1/broadcasts/live/show/mist", `{}`, 404, "mist"},
		{"POST", "/v1/broadcasts/live/sh%20w/blur", `{"off":true}`, 400, "key"},
		{"POST", "/v1/broadcasts/live/show/policy", `{}`, 400, "always"},
		{"PUT", renditions, `{"renditions":[{"name":"source"}]}`, 422, "source"},
		{"PUT", renditions, `{"renditions":[{"name":"a","height":91}]}`, 422, "height 91"},
	} {
		status, text := n.send(t, c.method, c.path, c.body)
		var problem struct {
			Title, Detail string
			Status        int
		}
		err := json.Unmarshal([]byte(text), &problem)
		if status != c.status || problem.Status != c.status || problem.Title == "" ||
			!strings.Contains(problem.Detail, c.says) || err != nil {
			t.Errorf("%s %s %.80s: %d %s, want %d and %q",
				c.method, c.path, c.body, status, text, c.status, c.says)
		}
	}
	_, text := n.get(t, "/v1/broadcasts/live/show/settings")
	if !strings.Contains(text, `"version":0`) {
		t.Errorf("what was refused has changed something: %s", text)
	}
}
