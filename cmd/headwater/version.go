package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
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
	_, err := fmt.Fprintln(t.stdout, versionOf(info))
	return err
}

// versionOf writes the line of a build: version, commit, compiler, platform.
func versionOf(info *debug.BuildInfo) string {
	version, commit := info.Main.Version, "unknown"
	if version == "" {
		version = "(devel)"
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed since"
		}
	}
	return fmt.Sprintf("headwater %s (commit %s%s) %s %s/%s",
		version, commit, changed, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}
