package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cluster/wire/wirepb"
	"github.com/headwater-live/headwater/codec/media"
)

// Bounds of what is read.
const (
	maxMessage = 1 << 20 // an envelope, and a batch of them
	maxName    = 64
	maxKey     = 512
	maxText    = 1 << 10
	maxListed  = 4096
)

// envelope puts a question or an answer into an envelope, without an address.
func envelope(what any) (*wirepb.Envelope, error) {
	e := &wirepb.Envelope{Version: Version}
	switch w := what.(type) {
	case *settings.Command:
		c, err := toCommand(w)
		e.Body = &wirepb.Envelope_Command{Command: c}
		return e, err
	case *settings.Adopt:
		e.Body = &wirepb.Envelope_Mirror{Mirror: &wirepb.Mirror{
			Key: w.Key, Version: w.Version, Data: w.Data, Stored: w.Stored, Await: w.Await,
		}}
	case *State:
		e.Body = &wirepb.Envelope_State{State: &wirepb.State{Key: w.Key}}
	case *List:
		e.Body = &wirepb.Envelope_List{List: &wirepb.List{}}
	case *Drain:
		e.Body = &wirepb.Envelope_Drain{Drain: &wirepb.Drain{
			Off: w.Off, Move: w.Move, Stop: w.Stop,
		}}
	case *Left:
		e.Body = &wirepb.Envelope_Left{Left: &wirepb.Left{}}
	default:
		return e, answerEnvelope(e, what)
	}
	return e, nil
}

func answerEnvelope(e *wirepb.Envelope, what any) error {
	switch w := what.(type) {
	case *settings.Answer:
		e.Body = &wirepb.Envelope_Commanded{Commanded: &wirepb.Commanded{
			Id: w.ID, Key: w.Key, Version: w.Version, Epoch: w.Epoch, State: string(w.State),
			Pts: int64(w.PTS), Note: cut(w.Note), Node: w.Node,
		}}
	case *settings.Adopted:
		e.Body = &wirepb.Envelope_Mirrored{Mirrored: &wirepb.Mirrored{
			Version: w.Version, Data: w.Data, Reason: cut(w.Reason), State: string(w.State),
			Pts: int64(w.PTS),
		}}
	case *Stated:
		e.Body = &wirepb.Envelope_Stated{Stated: &wirepb.Stated{
			Epoch: w.Epoch, Publishing: w.Publishing, HasLast: w.HasLast, Last: int64(w.Last),
			Age: int64(w.Age), Version: w.Version, Data: w.Data,
		}}
	case *Listed:
		e.Body = &wirepb.Envelope_Listed{Listed: toListed(w)}
	case *Drained:
		e.Body = &wirepb.Envelope_Drained{Drained: &wirepb.Drained{
			Draining: w.Draining, Broadcasts: int64(w.Broadcasts), Viewers: int64(w.Viewers),
			Feeds: int64(w.Feeds),
		}}
	case error:
		e.Body = &wirepb.Envelope_Failed{Failed: toFailed(w)}
	default:
		return fmt.Errorf("%T is nothing that nodes say", what)
	}
	return nil
}

func toCommand(c *settings.Command) (*wirepb.Command, error) {
	out := &wirepb.Command{Id: c.ID, Key: c.Key}
	switch change := c.Change.(type) {
	case settings.SetBlur:
		blur := &wirepb.Blur{Mode: uint32(change.Blur.Mode)}
		for _, r := range change.Blur.Rects {
			blur.Rects = append(blur.Rects, &wirepb.Rect{X: r.X, Y: r.Y, W: r.W, H: r.H})
		}
		out.Change = &wirepb.Command_Blur{Blur: blur}
	case settings.SetPolicy:
		out.Change = &wirepb.Command_Always{Always: change.Always}
	case settings.SetMute:
		out.Change = &wirepb.Command_Mute{Mute: change.Mute}
	case settings.SetRenditions:
		all := &wirepb.Renditions{}
		for _, r := range change.Renditions {
			all.Renditions = append(all.Renditions, &wirepb.Rendition{
				Name: r.Name, Height: int64(r.Height), Bitrate: int64(r.Bitrate), Fps: int64(r.FPS),
			})
		}
		out.Change = &wirepb.Command_Renditions{Renditions: all}
	default:
		return nil, fmt.Errorf("%T is no change that nodes know", change)
	}
	return out, nil
}

func toListed(l *Listed) *wirepb.Listed {
	out := &wirepb.Listed{}
	for _, b := range l.Broadcasts[:min(len(l.Broadcasts), maxListed)] {
		out.Broadcasts = append(out.Broadcasts, &wirepb.Broadcast{
			Key: b.Key, Epoch: b.Epoch, Publishing: b.Publishing, Viewers: int64(b.Viewers),
			Video: b.Video, Audio: b.Audio, Bitrate: b.Bitrate, Since: b.Since.Unix(),
		})
	}
	return out
}

func toFailed(err error) *wirepb.Failed {
	out := &wirepb.Failed{Reason: cut(err.Error())}
	var refused *settings.Refused
	switch {
	case errors.As(err, &refused):
		out.Cause = wirepb.Cause_REFUSED
		out.Reason = cut(refused.Reason)
	case errors.Is(err, ErrUnknown):
		out.Cause = wirepb.Cause_UNKNOWN
	case errors.Is(err, ErrNotFound), errors.Is(err, actors.ErrNotFound):
		out.Cause = wirepb.Cause_NOT_FOUND
	}
	return out
}

// cut bounds a text for people, and makes it one.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "?")
	for i := range text {
		if i > maxText-4 {
			return text[:i]
		}
	}
	return text
}

// question returns what an envelope asks; neither an error nor a question if it is an answer.
func question(e *wirepb.Envelope) (any, error) {
	switch b := e.Body.(type) {
	case nil:
		return nil, unknown()
	case *wirepb.Envelope_Command:
		return fromCommand(b.Command)
	case *wirepb.Envelope_Mirror:
		m := b.Mirror
		if len(m.GetKey()) > maxKey || len(m.GetData()) > settings.MaxRecord {
			return nil, errors.New("the settings are too large")
		}
		return &settings.Adopt{
			Key: m.GetKey(), Version: m.GetVersion(), Data: m.GetData(), Stored: m.GetStored(),
			Await: m.GetAwait(),
		}, nil
	case *wirepb.Envelope_State:
		return &State{Key: cutKey(b.State.GetKey())}, nil
	case *wirepb.Envelope_List:
		return &List{}, nil
	case *wirepb.Envelope_Drain:
		d := b.Drain
		return &Drain{Off: d.GetOff(), Move: d.GetMove(), Stop: d.GetStop()}, nil
	case *wirepb.Envelope_Left:
		return &Left{}, nil
	}
	return nil, nil
}

// unknown is what a question of a later version of the protocol is answered with.
func unknown() error { return fmt.Errorf("%w: it has version %d", ErrUnknown, Version) }

// cutKey is a key that is no other's if it is too long.
func cutKey(key string) string { return key[:min(len(key), maxKey+1)] }

func fromCommand(c *wirepb.Command) (any, error) {
	out := &settings.Command{ID: c.GetId(), Key: c.GetKey()}
	if len(out.Key) > maxKey {
		return nil, errors.New("the key is too long")
	}
	switch change := c.GetChange().(type) {
	case *wirepb.Command_Blur:
		out.Change = fromBlur(change.Blur)
	case *wirepb.Command_Always:
		out.Change = settings.SetPolicy{Always: change.Always}
	case *wirepb.Command_Mute:
		out.Change = settings.SetMute{Mute: change.Mute}
	case *wirepb.Command_Renditions:
		set := settings.SetRenditions{}
		for _, r := range change.Renditions.GetRenditions() {
			set.Renditions = append(set.Renditions, settings.Rendition{
				Name: r.GetName(), Height: int(r.GetHeight()), Bitrate: int(r.GetBitrate()),
				FPS: int(r.GetFps()),
			})
		}
		out.Change = set
	default:
		return nil, unknown()
	}
	return out, nil
}

// fromBlur reads a blur. A mode that is none here stays none: settings refuse it.
func fromBlur(b *wirepb.Blur) settings.Change {
	blur := settings.Blur{Mode: settings.Mode(min(b.GetMode(), 255))}
	for _, r := range b.GetRects() {
		blur.Rects = append(blur.Rects, settings.Rect{
			X: r.GetX(), Y: r.GetY(), W: r.GetW(), H: r.GetH(),
		})
	}
	return settings.SetBlur{Blur: blur}
}

// reply returns the answer that an envelope has, nil if it has none.
func reply(e *wirepb.Envelope) any {
	switch b := e.Body.(type) {
	case *wirepb.Envelope_Commanded:
		c := b.Commanded
		return &settings.Answer{
			ID: c.GetId(), Key: c.GetKey(), Version: c.GetVersion(), Epoch: c.GetEpoch(),
			State: settings.State(cut(c.GetState())), PTS: media.Time(c.GetPts()),
			Note: cut(c.GetNote()), Node: c.GetNode(),
		}
	case *wirepb.Envelope_Mirrored:
		return &settings.Adopted{
			Version: b.Mirrored.GetVersion(), Data: b.Mirrored.GetData(),
			Reason: cut(b.Mirrored.GetReason()), PTS: media.Time(b.Mirrored.GetPts()),
			State: settings.State(cut(b.Mirrored.GetState())),
		}
	case *wirepb.Envelope_Stated:
		s := b.Stated
		return &Stated{
			Epoch: s.GetEpoch(), Publishing: s.GetPublishing(), Last: media.Time(s.GetLast()),
			HasLast: s.GetHasLast(), Age: max(0, time.Duration(s.GetAge())),
			Version: s.GetVersion(), Data: s.GetData(),
		}
	case *wirepb.Envelope_Listed:
		return fromListed(b.Listed)
	case *wirepb.Envelope_Drained:
		d := b.Drained
		return &Drained{
			Draining: d.GetDraining(), Broadcasts: int(d.GetBroadcasts()),
			Viewers: int(d.GetViewers()), Feeds: int(d.GetFeeds()),
		}
	case *wirepb.Envelope_Failed:
		return fromFailed(b.Failed)
	}
	return nil
}

func fromListed(l *wirepb.Listed) *Listed {
	out := &Listed{}
	for _, b := range l.GetBroadcasts()[:min(len(l.GetBroadcasts()), maxListed)] {
		out.Broadcasts = append(out.Broadcasts, Broadcast{
			Key: cutKey(b.GetKey()), Epoch: b.GetEpoch(), Publishing: b.GetPublishing(),
			Viewers: int(b.GetViewers()), Video: cut(b.GetVideo()), Audio: cut(b.GetAudio()),
			Bitrate: b.GetBitrate(), Since: time.Unix(b.GetSince(), 0),
		})
	}
	return out
}

func fromFailed(f *wirepb.Failed) error {
	reason := cut(f.GetReason())
	switch f.GetCause() {
	case wirepb.Cause_REFUSED:
		return &settings.Refused{Reason: reason}
	case wirepb.Cause_NOT_FOUND:
		return fmt.Errorf("%w: %s", ErrNotFound, reason)
	case wirepb.Cause_UNKNOWN:
		return &told{reason, ErrUnknown}
	}
	return &told{reason, ErrNode}
}

// told is an error that another node told, in its own words.
type told struct {
	text string
	is   error
}

// Error implements error.
func (t *told) Error() string { return t.text }

func (t *told) Unwrap() error { return t.is }
