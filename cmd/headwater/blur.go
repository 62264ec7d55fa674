package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/headwater-live/headwater/cluster/control"
)

// blurCommand makes parts of a broadcast's picture unreadable.
type blurCommand struct {
	broadcastFlags

	Rects []rectFlag `name:"rect" sep:"none" placeholder:"X,Y,W,H" help:"What is made unreadable."`
	Mode  string     `enum:"pixelate,box,gaussian,solid" default:"pixelate" help:"One of ${enum}."`
	Off   bool       `help:"End the blur."`
}

// Help is the text below the command's one line.
func (*blurCommand) Help() string {
	return `A rectangle is given by its left and upper edge, width and height, in fractions of the ` +
		`picture from 0 to 1; --rect may come more than once. The rectangles replace those of ` +
		`before, on every rendition, for the viewers of now and those to come. What is printed ` +
		`says from when on that holds, on the timeline of the broadcast: no picture from then on ` +
		`is shown without it. A blur belongs to the key: it stays when the publisher comes back, ` +
		`and can be set before he comes.

Example:

    headwater blur live/mine --rect 0.1,0.2,0.3,0.25 --mode solid`
}

// Run is called by kong.
func (b *blurCommand) Run(t *terminal) error {
	switch {
	case b.Off && len(b.Rects) > 0:
		return usageError{errors.New("--off and --rect: which of them?")}
	case !b.Off && len(b.Rects) == 0:
		return usageError{errors.New("want a --rect, or --off")}
	}
	body := struct {
		ID    string         `json:"id,omitempty"`
		Mode  string         `json:"mode,omitempty"`
		Off   bool           `json:"off,omitempty"`
		Rects []control.Rect `json:"rects,omitempty"`
	}{ID: b.ID, Mode: b.Mode, Off: b.Off}
	for _, r := range b.Rects {
		body.Rects = append(body.Rects, control.Rect(r))
	}
	holds := "blur holds"
	if b.Off {
		holds = "no blur"
	}
	return b.send(t, http.MethodPost, "blur", &body, holds)
}

// rectFlag is a rectangle on the command line.
type rectFlag control.Rect

// UnmarshalText reads X,Y,W,H.
func (r *rectFlag) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ",")
	into := []*float64{&r.X, &r.Y, &r.W, &r.H}
	if len(parts) != len(into) {
		return fmt.Errorf("%q is no rectangle; want X,Y,W,H, such as 0.1,0.2,0.3,0.25", text)
	}
	for i, part := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || n < 0 || n > 1 || n != n {
			return fmt.Errorf("%q: %q is not a number from 0 to 1", text, part)
		}
		*into[i] = n
	}
	return nil
}
