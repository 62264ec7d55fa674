package control

import (
	"fmt"
	"time"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/aac"
	"github.com/headwater-live/headwater/codec/avc"
	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// listing is the answer of GET /v1/broadcasts.
type listing struct {
	Broadcasts []broadcast `json:"broadcasts"`
}

type broadcast struct {
	Key     string    `json:"key"`
	Epoch   uint64    `json:"epoch"`
	State   string    `json:"state"` // live, or grace while the publisher is awaited
	Viewers int       `json:"viewers"`
	Video   string    `json:"video,omitempty"`
	Audio   string    `json:"audio,omitempty"`
	Bitrate int64     `json:"bitrate_bps"`
	Since   time.Time `json:"since"`
}

func describeAll(all []actors.Broadcast) listing {
	out := listing{Broadcasts: make([]broadcast, 0, len(all))}
	for i := range all {
		out.Broadcasts = append(out.Broadcasts, describe(&all[i]))
	}
	return out
}

func describe(b *actors.Broadcast) broadcast {
	state := "grace"
	if b.Publishing {
		state = "live"
	}
	return broadcast{
		Key: b.Key, Epoch: b.Epoch, State: state, Viewers: b.Viewers,
		Video: describeTrack(b.Headers[media.Video]), Audio: describeTrack(b.Headers[media.Audio]),
		Bitrate: int64(b.BitsPerSecond), Since: b.Since.UTC().Truncate(time.Second),
	}
}

// describeTrack names a track's codec and its size or rate, as far as its header tells.
func describeTrack(u *topic.Unit) string {
	if u == nil {
		return ""
	}
	name := u.Codec.String()
	info, err := flv.Parse(u.Kind, u.Body)
	if err != nil {
		return name
	}
	record := u.Body[info.Payload:]
	switch u.Codec {
	case media.AVC:
		config, err := avc.ParseConfig(record)
		if err != nil {
			return name
		}
		if width, height, _, err := config.Size(); err == nil {
			return fmt.Sprintf("%s %dx%d", name, width, height)
		}
	case media.AAC:
		if config, err := aac.ParseConfig(record); err == nil {
			return fmt.Sprintf("%s %d", name, config.SampleRate)
		}
	}
	return name
}
