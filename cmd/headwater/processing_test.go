package main

import (
	"os"
	"reflect"
	"runtime"
	"testing"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cmd/headwater/config"
	"github.com/headwater-live/headwater/codec/av"
)

func TestProcessingOptions(t *testing.T) {
	t.Setenv("HEADWATER_DRILLS", "")
	cfg := config.Default().Processing
	got, err := processingOptions(&cfg)
	want := actors.ProcessingOptions{
		Slots:  process.NewSlots(runtime.GOMAXPROCS(0)),
		Limits: av.Limits{Width: 2560, Height: 2560, Pixels: 2048 * 2048}, Preset: "superfast",
		Loudness: true,
	}
	got.Slots = want.Slots
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("by default: %+v, %v\nwant %+v", got, err, want)
	}
	t.Setenv("HEADWATER_DRILLS", "1")
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg = config.Processing{
		Policy: config.Always, Isolation: config.InChild, Slots: 3, Memory: 1 << 30, Preset: "fast",
		Hybrid: true, MaxSide: 640, MaxPixels: 640 * 360,
	}
	got, err = processingOptions(&cfg)
	want = actors.ProcessingOptions{
		Settings: settings.Settings{Always: true}, Slots: got.Slots, Preset: "fast", Hybrid: true,
		Limits: av.Limits{Width: 640, Height: 640, Pixels: 640 * 360}, Drills: true,
		SnapshotCommand: []string{binary, snapshotCommand},
		Isolation: process.Isolation{
			Process: true, Command: []string{binary, childCommand}, Memory: 1 << 30,
			Nice: childNice,
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("with all set: %+v, %v\nwant %+v", got, err, want)
	}
}
