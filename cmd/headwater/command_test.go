package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cluster/control"
)

// TestCommands gives commands to a node that notes them.
func TestCommands(t *testing.T) {
	const live = `{"id":"1","key":"live/a","version":3,"epoch":1,"state":"live","pts_ms":12345}`
	for _, c := range []struct {
		args, asked, answer string
		want                string
	}{
		{
			"blur live/a --rect 0.1,0.2,0.3,0.4 --rect=0,0,1,.5 --mode=solid --id=1",
			`POST /v1/broadcasts/live/a/blur {"id":"1","mode":"solid","rects":[` +
				`{"x":0.1,"y":0.2,"w":0.3,"h":0.4},{"x":0,"y":0,"w":1,"h":0.5}]}`,
			live, "live/a: blur holds from 12.345 s (version 3, epoch 1)\n",
		},
		{
			"blur live/eu/a --off --json",
			`POST /v1/broadcasts/live/eu/a/blur {"mode":"pixelate","off":true}`, live, live,
		},
		{
			"mute live/a", `POST /v1/broadcasts/live/a/mute {"mute":true}`, live,
			"live/a: mute holds from 12.345 s (version 3, epoch 1)\n",
		},
		{
			"mute live/a --off", `POST /v1/broadcasts/live/a/mute {"mute":false}`, live,
			"live/a: no mute from 12.345 s (version 3, epoch 1)\n",
		},
		{
			"policy live/a --when-asked", `POST /v1/broadcasts/live/a/policy {"always":false}`, live,
			"live/a: processed when asked from 12.345 s (version 3, epoch 1)\n",
		},
	} {
		var asked string
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			asked = r.Method + " " + r.URL.Path + " " + string(body)
			fmt.Fprint(w, c.answer)
		}))
		args := append(strings.Fields(c.args), "--url", node.URL)
		if got := command(Parts{}, nil, args...); got != (outcome{exitOK, c.want, ""}) {
			t.Errorf("%s: %+v, want %q", c.args, got, c.want)
		}
		if asked != c.asked {
			t.Errorf("%s asks\n%s, want\n%s", c.args, asked, c.asked)
		}
		node.Close()
	}
}

func TestCommandFails(t *testing.T) {
	status, body := 0, ""
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{422, `{"detail":"too small"}`, "headwater: live/a: too small\n"},
		{500, "oh\n", "headwater: live/a: POST " + node.URL +
			"/v1/broadcasts/live/a/mute: 500 Internal Server Error: oh\n"},
		{200, "{", "headwater: live/a: the answer is no JSON: unexpected end of JSON input\n"},
	} {
		status, body = c.status, c.body
		got := command(Parts{}, nil, "mute", "live/a", "--url", node.URL)
		if got != (outcome{exitFailed, "", c.want}) {
			t.Errorf("%+v, want %q", got, c.want)
		}
	}
	node.Close()
	got := command(Parts{}, nil, "mute", "live/a", "--url", node.URL)
	if got.code != exitFailed || !strings.Contains(got.stderr, "is a node running there?") {
		t.Errorf("with no node: %+v", got)
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		answer control.Answer
		want   string
	}{
		{
			control.Answer{State: settings.Stored, Version: 2},
			"live/a: blur holds from the first picture of whoever publishes next (version 2)",
		},
		{
			control.Answer{State: settings.Stored, Version: 2, Note: "the broadcast has ended"},
			"live/a: blur holds from the first picture of whoever publishes next: " +
				"the broadcast has ended (version 2)",
		},
		{
			control.Answer{
				State: settings.Withheld, Version: 2, Epoch: 1, PTS: 500, Note: "public is withheld: no",
			},
			"live/a: blur holds from 0.500 s, and no picture is shown: " +
				"public is withheld: no (version 2, epoch 1)",
		},
		{control.Answer{State: "odd"}, "live/a: blur holds, state odd (version 0)"},
	} {
		c.answer.Key = "live/a"
		if got := sentence(&c.answer, "blur holds"); got != c.want {
			t.Errorf("%+v:\n%s, want\n%s", c.answer, got, c.want)
		}
	}
}
