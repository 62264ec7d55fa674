package settings

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// desk plays those around a machine.
type desk struct {
	t   *testing.T
	m   *machine
	now time.Time
}

func newDesk(t *testing.T) *desk {
	return &desk{t: t, m: newMachine(Options{}), now: time.Unix(1000, 0)}
}

func who(name string) *actor.PID { return actor.NewPID("local", name) }

// sent returns what was sent since the last time, one line a message.
func (d *desk) sent() string {
	var lines []string
	for _, o := range d.m.out.Take() {
		switch msg := o.Msg.(type) {
		case *Current:
			lines = append(lines, fmt.Sprintf("%s: %s v%d, %d rects", o.To.Id, msg.Key,
				msg.Settings.Version, len(msg.Settings.Blur.Rects)))
		case *Answer:
			lines = append(lines, fmt.Sprintf("%s: %s v%d %s %d", o.To.Id, msg.ID, msg.Version,
				msg.State, msg.PTS))
		case error:
			lines = append(lines, fmt.Sprintf("%s: %v", o.To.Id, msg))
		}
	}
	return strings.Join(lines, "; ")
}

func (d *desk) want(want string) {
	d.t.Helper()
	if got := d.sent(); got != want {
		d.t.Errorf("sent %q, want %q", got, want)
	}
}

func (d *desk) blur(id string, rects int) {
	c := SetBlur{}
	for range rects {
		c.Blur.Rects = append(c.Blur.Rects, Rect{W: 0.5, H: 0.5})
	}
	d.m.command(&Command{ID: id, Key: "live/a", Change: c}, who("asker "+id), d.now)
}

func (d *desk) follow(name string, epoch uint64) {
	d.m.follow(&Follow{Key: "live/a", Epoch: epoch, Follower: who(name)}, d.now)
}

func TestCommandIsCarriedOutByTheFollower(t *testing.T) {
	d := newDesk(t)
	d.follow("gate", 7)
	d.want("gate: live/a v0, 0 rects")
	d.blur("x", 1)
	d.want("gate: live/a v1, 1 rects")
	d.blur("x", 1) // sent twice
	d.want("")
	d.m.held(&Held{Key: "live/a", Version: 1, Epoch: 7, State: Live, PTS: 42})
	d.want("asker x: x v1 live 42; asker x: x v1 live 42")
	d.blur("x", 2) // sent again, late: answered as it was
	d.want("asker x: x v1 live 42")
	d.m.held(&Held{Key: "live/a", Version: 1, Epoch: 6, State: Live, PTS: 1}) // a former epoch
	d.want("")
}

// What is commanded while nobody publishes waits for whoever does, and outlives him.
func TestSettingsOutliveBroadcasts(t *testing.T) {
	d := newDesk(t)
	d.blur("x", 2)
	d.want("asker x: x v1 stored 0")
	d.follow("gate1", 1)
	d.want("gate1: live/a v1, 2 rects")
	d.follow("gate2", 2)
	d.want("gate2: live/a v1, 2 rects")
	d.follow("gate1", 1) // superseded: it is told nothing any more
	d.blur("y", 0)
	d.want("gate2: live/a v2, 0 rects")
	d.m.gone(who("gate1"))
	d.want("")
	d.m.gone(who("gate2"))
	d.want("asker y: y v2 stored 0")
	d.m.restart()
	d.follow("gate3", 3)
	d.want("gate3: live/a v2, 0 rects")
}

func TestSilentFollower(t *testing.T) {
	d := newDesk(t)
	d.follow("gate", 1)
	d.blur("x", 1)
	d.sent()
	if _, some := d.m.pending(); !some {
		t.Error("nothing is pending")
	}
	d.now = d.now.Add(patience)
	d.m.overdue(d.now)
	d.want("asker x: x v1 stored 0")
	if _, some := d.m.pending(); some {
		t.Error("it is pending still")
	}
}

func TestOnlySoMuchIsRemembered(t *testing.T) {
	d := newDesk(t)
	for i := range maxSeen + 10 {
		d.blur(fmt.Sprint(i), 1)
	}
	if got := len(d.m.entries["live/a"].seen); got != maxSeen {
		t.Errorf("%d commands are remembered, want %d", got, maxSeen)
	}
	d.now = d.now.Add(Memory + 1)
	d.m.forget(d.now)
	if len(d.m.entries) != 0 {
		t.Error("a key that nobody cares for is kept")
	}
}

func TestWrongCommandsAreRefused(t *testing.T) {
	rect := func(x, y, w, h float64) Change {
		return SetBlur{Blur{Rects: []Rect{{x, y, w, h}}}}
	}
	rendition := func(r ...Rendition) Change { return SetRenditions{r} }
	for reason, c := range map[string]Command{
		"id of 0 bytes":             {ID: "", Change: SetMute{true}},
		"id of 65 bytes":            {ID: strings.Repeat("x", 65), Change: SetMute{true}},
		"begins at -0.1,0":          {Change: rect(-0.1, 0, 1, 1)},
		"begins at 0,1":             {Change: rect(0, 1, 1, 1)},
		"is 0 by 1":                 {Change: rect(0, 0, 0, 1)},
		"is 1 by 1.5":               {Change: rect(0, 0, 1, 1.5)},
		"begins at NaN":             {Change: rect(math.NaN(), 0, 1, 1)},
		"is NaN by":                 {Change: rect(0, 0, math.NaN(), 1)},
		"17 rectangles":             {Change: SetBlur{Blur{Rects: make([]Rect, 17)}}},
		"mode(9)":                   {Change: SetBlur{Blur{Mode: 9}}},
		`rendition "public"`:        {Change: rendition(Rendition{Name: Public})},
		`rendition "a b"`:           {Change: rendition(Rendition{Name: "a b"})},
		"height 481":                {Change: rendition(Rendition{Name: "x", Height: 481})},
		"bit rate 1:":               {Change: rendition(Rendition{Name: "x", Bitrate: 1})},
		"121 pictures":              {Change: rendition(Rendition{Name: "x", FPS: 121})},
		"rendition x comes twice":   {Change: rendition(Rendition{Name: "x"}, Rendition{Name: "x"})},
		"7 renditions, at most 6":   {Change: rendition(make([]Rendition, 7)...)},
		`rendition "ABC": want a n`: {Change: rendition(Rendition{Name: "ABC"})},
	} {
		d := newDesk(t)
		if c.ID == "" && !strings.Contains(reason, "id of") {
			c.ID = "id"
		}
		d.m.command(&c, who("asker"), d.now)
		out := d.m.out.Take()
		var refused *Refused
		if len(out) != 1 || !errors.As(out[0].Msg.(error), &refused) ||
			!strings.Contains(refused.Reason, reason) {
			t.Errorf("%s: %v", reason, out)
		}
		if e := d.m.entries[c.Key]; e != nil && e.settings.Version != 0 {
			t.Errorf("%s: it is carried out", reason)
		}
	}
}

func TestModes(t *testing.T) {
	for _, name := range append(Modes(), "") {
		if m, err := ParseMode(name); err != nil || name != "" && m.String() != name {
			t.Errorf("%q: %v, %v", name, m, err)
		}
	}
	if _, err := ParseMode("smear"); err == nil {
		t.Error("an unknown mode is taken")
	}
}
