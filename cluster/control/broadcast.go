package control

import (
	"time"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/codec/media"
)

// listing is the answer of GET /v1/broadcasts.
type listing struct {
	Broadcasts []broadcast `json:"broadcasts"`
	// RTMPPort is where to publish, 0 if only by RTMPS.
	RTMPPort int `json:"rtmp_port,omitempty"`
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
		Video: b.Headers.Describe(media.Video), Audio: b.Headers.Describe(media.Audio),
		Bitrate: int64(b.BitsPerSecond), Since: b.Since.UTC().Truncate(time.Second),
	}
}
