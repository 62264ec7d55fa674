package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/headwater-live/headwater/cluster/control"
	"github.com/headwater-live/headwater/halide"
)

// versionCommand prints what this binary was built from.
type versionCommand struct{}

// Help is the text below the command's one line.
func (versionCommand) Help() string {
	return "Example:\n\n    headwater version"
}

// Run is called by kong.
func (versionCommand) Run(t *terminal) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary was built without its build information")
	}
	_, err := fmt.Fprintln(t.stdout, versionOf(info)+"\n"+kernelsOf(halide.Info()))
	return err
}

// buildOf is what the build information and the kernels tell of this binary.
func buildOf(info *debug.BuildInfo, kernels halide.Build) control.Build {
	b := control.Build{
		Version: info.Main.Version, Commit: "unknown", Go: info.GoVersion,
		CPULevel: kernels.CPU, Kernels: kernels.Kernels,
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	return b
}

// kernelsOf writes the line of the kernels: the processor level that they chose and their digest.
func kernelsOf(kernels halide.Build) string {
	return strings.TrimSpace("kernels " + kernels.CPU + " " + kernels.Kernels)
}

// versionOf writes the line of a build: version, commit, compiler, platform.
func versionOf(info *debug.BuildInfo) string {
	b, changed := buildOf(info, halide.Build{}), ""
	for _, s := range info.Settings {
		if s.Key == "vcs.modified" && s.Value == "true" {
			changed = ", changed since"
		}
	}
	return fmt.Sprintf("headwater %s (commit %s%s) %s %s/%s",
		b.Version, b.Commit, changed, b.Go, runtime.GOOS, runtime.GOARCH)
}
