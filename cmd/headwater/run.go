package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/headwater-live/headwater/actors/own"
	"github.com/headwater-live/headwater/cmd/headwater/config"
)

// runCommand runs a node.
type runCommand struct {
	Demo    bool    `help:"Publish a built-in demo broadcast too."`
	Config  string  `placeholder:"FILE" help:"Configuration file, in YAML."`
	Options options `embed:""`
}

// options is a Config without its methods: kong would call Validate before the sources are merged.
type options config.Config

// Help is the text below the command's one line.
func (*runCommand) Help() string {
	return `Every setting has a default. A flag beats the environment, which beats the file: the ` +
		`flag --viewer.max-behind is HEADWATER_VIEWER_MAX_BEHIND in the environment and ` +
		`max-behind in the section viewer of the file. SIGINT or SIGTERM stops gracefully, a ` +
		`second one at once.

Example:

    headwater run --demo`
}

// Run is called by kong.
func (r *runCommand) Run(ctx *kong.Context, t *terminal) error {
	cfg, err := config.Load(config.Sources{
		File:  r.Config,
		Env:   t.env,
		Flags: config.Config(r.Options),
		Given: given(ctx),
	})
	if err != nil {
		return usageError{err}
	}
	log, err := newLogger(cfg.Log, t.stderr)
	if err != nil {
		return usageError{err}
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	return serve(signals, log, func(ctx context.Context) error {
		return t.Parts.Run(ctx, cfg, log, r.Demo, t.stdout)
	})
}

// given returns the names of the flags that the command line has.
func given(ctx *kong.Context) []string {
	var names []string
	for _, p := range ctx.Path {
		if p.Flag != nil && !p.Resolved {
			names = append(names, p.Flag.Name)
		}
	}
	return names
}

// serve runs fn until it returns. The first signal cancels its context; the second does not wait
// for it any longer.
func serve(signals <-chan os.Signal, log *slog.Logger, fn func(context.Context) error) error {
	ended := make(chan error, 2)
	group := own.NewGroup(&own.Counts{}, func(p *own.Panic) {
		ended <- fmt.Errorf("%w\n%s", p, p.Stack)
	})
	defer group.Cancel()
	group.Go("node", func(ctx context.Context) { ended <- fn(ctx) })
	stopping := false
	for {
		select {
		case err := <-ended:
			return err
		case sig := <-signals:
			if stopping {
				return errors.New("stopped at once by a second signal: " + sig.String())
			}
			stopping = true
			log.Info("stopping; a second signal stops at once", "signal", sig.String())
			group.Cancel()
		}
	}
}

// newLogger returns a logger as set, into w.
func newLogger(cfg config.Log, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}
