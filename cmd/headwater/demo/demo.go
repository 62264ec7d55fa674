// Package demo holds the broadcast that headwater run --demo publishes: eight seconds of moving
// picture and tune, made to be repeated without a seam. See make.sh for how.
package demo

import (
	_ "embed"
	"time"
)

//go:generate ./make.sh

// Period is the time after which the broadcast repeats: the timestamps of the next round are those
// of FLV plus Period, on both tracks.
const Period = 8 * time.Second

// The tracks of the broadcast. Both end exactly at Period.
const (
	Pictures    = 240 // H.264 Main, 640x360, 30 a second, an IDR picture each second, no B-pictures
	AudioFrames = 375 // AAC LC, 48 kHz, stereo, 1024 samples each
)

//go:embed demo.flv
var flv string

// FLV returns the broadcast as an FLV file: metadata, sequence headers, then the tags of one period
// in the order of their timestamps, from 0 ms on, the first picture an IDR picture. The bytes are a
// copy, the caller's own.
func FLV() []byte { return []byte(flv) }
