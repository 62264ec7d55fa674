package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/cmd/headwater/config"
	"github.com/headwater-live/headwater/codec/av"
)

// drills tells whether whoever started this process lets requests make actors fail. It is no
// setting: nobody should find it in a configuration file.
func drills() bool { return os.Getenv("HEADWATER_DRILLS") == "1" }

// processingOptions are the tree's.
func processingOptions(cfg *config.Processing) (actors.ProcessingOptions, error) {
	slots := cfg.Slots
	if slots == 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	o := actors.ProcessingOptions{
		Settings: settings.Settings{Always: cfg.Policy == config.Always},
		Slots:    process.NewSlots(slots),
		Limits:   av.Limits{Width: cfg.MaxSide, Height: cfg.MaxSide, Pixels: cfg.MaxPixels},
		Preset:   string(cfg.Preset),
		Hybrid:   cfg.Hybrid,
		Loudness: cfg.Loudness,
		Drills:   drills(),
	}
	if cfg.Isolation == config.InChild {
		binary, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("processing.isolation: %w", err)
		}
		o.SnapshotCommand = []string{binary, snapshotCommand}
		o.Isolation = process.Isolation{
			Process: true, Command: []string{binary, childCommand}, Memory: int64(cfg.Memory),
			Nice: childNice,
		}
	}
	return o, nil
}
