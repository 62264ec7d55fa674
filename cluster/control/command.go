package control

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/listen"
	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/snapshot"
)

// Node is what control shows and commands.
type Node interface {
	Broadcasts() ([]actors.Broadcast, error)
	DrawTree(w io.Writer, limit int) error
	// Command carries a command out and Settings tells what is commanded of a broadcast.
	Command(ctx context.Context, c settings.Command) (settings.Answer, error)
	Settings(ctx context.Context, key string) (settings.Settings, error)
	// Snapshot returns a JPEG of what the viewers of a rendition see.
	Snapshot(ctx context.Context, key, rendition string) (*snapshot.Picture, error)
	// Loudness tells how loud a broadcast is.
	Loudness(ctx context.Context, key string) (*loudness.Report, error)
	// Drill makes an actor fail.
	Drill(path, kind string) error
}

// body is that of a command.
type body interface {
	change() (id string, c settings.Change, err error)
}

// about serves what is below a broadcast's key: /v1/broadcasts/APP/NAME/WHAT. An application may
// have several parts, so that the key ends where WHAT begins: at the last slash.
func (o *Options) about(w http.ResponseWriter, r *http.Request) {
	path, what := cutLast(r.PathValue("path"))
	get, set, method := o.resource(what)
	if get == nil && set == nil {
		o.fail(w, faulty(http.StatusNotFound, fmt.Errorf("there is no %s", r.URL.Path)))
		return
	}
	app, name := cutLast(path)
	key, err := listen.Key(app, name)
	if err != nil {
		o.fail(w, faulty(http.StatusBadRequest, err))
		return
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case reads && get != nil:
		if !o.pass(w, r, key) {
			get(w, r, key)
		}
	case r.Method == method && set != nil:
		o.command(w, r, key, set())
	default:
		var allowed []string
		if get != nil {
			allowed = append(allowed, http.MethodGet, http.MethodHead)
		}
		if set != nil {
			allowed = append(allowed, method)
		}
		o.notAllowed(w, r, allowed...)
	}
}

// resource says how a part of a broadcast is read, and by which method and body it is changed.
func (o *Options) resource(what string) (
	get func(http.ResponseWriter, *http.Request, string), set func() body, method string,
) {
	switch what {
	case "settings":
		return o.part(func(s *Settings) any { return s }), nil, ""
	case "blur":
		return o.part(func(s *Settings) any { return &s.Blur }),
			func() body { return &blurBody{} }, http.MethodPost
	case "renditions":
		return o.part(func(s *Settings) any { return &renditions{s.Renditions} }),
			func() body { return &renditionsBody{} }, http.MethodPut
	case "snapshot.jpg":
		return o.snapshot, nil, ""
	case "loudness":
		return o.loudness, nil, ""
	case "policy":
		return nil, func() body { return &policyBody{} }, http.MethodPost
	case "mute":
		return nil, func() body { return &muteBody{} }, http.MethodPost
	}
	return nil, nil, ""
}

// renditions is the answer of GET .../renditions.
type renditions struct {
	Renditions []Rendition `json:"renditions"`
}

// part serves a part of a broadcast's settings.
func (o *Options) part(of func(*Settings) any) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, key string) {
		s, err := o.Node.Settings(r.Context(), key)
		if err != nil {
			o.fail(w, err)
			return
		}
		o.answer(w, of(describeSettings(key, &s)))
	}
}

// command has a command carried out. One without an ID gets one, which the answer tells: it is
// then carried out as often as it comes.
func (o *Options) command(w http.ResponseWriter, r *http.Request, key string, b body) {
	if err := o.admit(w, r, b); err != nil {
		o.fail(w, err)
		return
	}
	id, change, err := b.change()
	if err != nil {
		o.fail(w, err)
		return
	}
	if id == "" {
		id = rand.Text()
	}
	answer, err := o.commandOn(r.Context(), settings.Command{ID: id, Key: key, Change: change})
	o.Log.Info("command", slog.String("broadcast", key), slog.String("id", id),
		slog.String("what", fmt.Sprintf("%T", change)), slog.String("from", r.RemoteAddr),
		slog.Any("error", err))
	if err != nil {
		o.fail(w, err)
		return
	}
	o.answer(w, describeAnswer(&answer))
}

// admit reads the body of a request that changes something. One that a page of another site has the
// browser of somebody send is refused: browsers say so, other clients do not.
func (o *Options) admit(w http.ResponseWriter, r *http.Request, into any) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return faulty(http.StatusForbidden, err)
	}
	return readBody(w, r, into)
}

// drill makes an actor fail, which is how its supervision is tested.
func (o *Options) drill(w http.ResponseWriter, r *http.Request) {
	if !o.Drills {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		o.notAllowed(w, r, http.MethodPost)
		return
	}
	var asked struct {
		Actor string `json:"actor"`
		Kind  string `json:"kind"`
	}
	if err := o.admit(w, r, &asked); err != nil {
		o.fail(w, err)
		return
	}
	if err := o.Node.Drill(asked.Actor, asked.Kind); err != nil {
		if errors.Is(err, actors.ErrDrill) {
			err = faulty(http.StatusUnprocessableEntity, err)
		}
		o.fail(w, err)
		return
	}
	o.Log.Warn("drill", slog.String("actor", asked.Actor), slog.String("kind", asked.Kind))
	w.WriteHeader(http.StatusNoContent)
}

// cutLast cuts a path at its last slash.
func cutLast(path string) (before, last string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}
