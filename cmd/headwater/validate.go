package main

import (
	"fmt"

	"github.com/headwater-live/headwater/cmd/headwater/config"
)

// validateCommand checks a configuration file, the environment left aside.
type validateCommand struct {
	File string `arg:"" help:"Configuration file, in YAML."`
}

// Help is the text below the command's one line.
func (*validateCommand) Help() string {
	return `Says all that is wrong with the file, with the line, and exits with 2; or exits with ` +
		`0. The environment is left aside. The certificate files that it names are read too.

Example:

    headwater validate headwater.yaml`
}

// Run is called by kong.
func (v *validateCommand) Run(t *terminal) error {
	if _, err := config.Load(config.Sources{File: v.File}); err != nil {
		return usageError{err}
	}
	_, err := fmt.Fprintf(t.stdout, "%s: ok\n", v.File)
	return err
}
