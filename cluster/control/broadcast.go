package control

import (
	"time"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/codec/media"
)

// Listing is the answer of GET /v1/broadcasts.
type Listing struct {
	Broadcasts []Broadcast `json:"broadcasts"`
	// RTMPPort is where to publish, 0 if only by RTMPS.
	RTMPPort int `json:"rtmp_port,omitempty"`
}

// Broadcast is a broadcast on a node.
type Broadcast struct {
	Key     string    `json:"key"`
	Epoch   uint64    `json:"epoch"`
	State   string    `json:"state"` // live, or grace while the publisher is awaited
	Viewers int       `json:"viewers"`
	Video   string    `json:"video,omitempty"`
	Audio   string    `json:"audio,omitempty"`
	Bitrate int64     `json:"bitrate_bps"`
	Since   time.Time `json:"since"`
	// Node carries it, as Role; Standby takes over if it dies. A node by itself leaves them out.
	Node    string `json:"node,omitempty"`
	Role    string `json:"role,omitempty"`
	Standby string `json:"standby,omitempty"`
}

func describeAll(all []actors.Broadcast) Listing {
	out := Listing{Broadcasts: make([]Broadcast, 0, len(all))}
	for i := range all {
		out.Broadcasts = append(out.Broadcasts, describe(&all[i]))
	}
	return out
}

func stateOf(publishing bool) string {
	if publishing {
		return "live"
	}
	return "grace"
}

func describe(b *actors.Broadcast) Broadcast {
	role := ""
	if b.Backup {
		role = roleBackup
	}
	return Broadcast{
		Role: role,
		Key:  b.Key, Epoch: b.Epoch, State: stateOf(b.Publishing), Viewers: b.Viewers,
		Video: b.Headers.Describe(media.Video), Audio: b.Headers.Describe(media.Audio),
		Bitrate: int64(b.BitsPerSecond), Since: b.Since.UTC().Truncate(time.Second),
	}
}
