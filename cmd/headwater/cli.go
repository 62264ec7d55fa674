package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/headwater-live/headwater/cmd/headwater/config"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line or the configuration is wrong
	exitSpent  = 3 // the supervision tree gave up; whoever started the node starts it again
)

// errSpent says that a node ended because its supervision tree is spent.
var errSpent = errors.New("the supervision tree is spent")

// Runner runs a node until ctx is done, which asks for a graceful stop, or until it fails. It
// writes what a newcomer needs to know to out: where to publish and where to watch. demo asks for
// a broadcast of its own. The error wraps errSpent when the tree gave up.
type Runner func(ctx context.Context, cfg config.Config, log *slog.Logger, demo bool,
	out io.Writer) error

// Parts are what the commands only start.
type Parts struct {
	Run Runner
	// Declared writes the drawing of the supervision tree as it is declared.
	Declared func(io.Writer) error
}

// grammar is the command line.
type grammar struct {
	Run       runCommand       `cmd:"" help:"Run a node."`
	Validate  validateCommand  `cmd:"" help:"Check a configuration file."`
	Tree      treeCommand      `cmd:"" help:"Print the supervision tree of a running node."`
	Blur      blurCommand      `cmd:"" help:"Make parts of a broadcast's picture unreadable."`
	Mute      muteCommand      `cmd:"" help:"Silence a broadcast."`
	Policy    policyCommand    `cmd:"" help:"Say when the picture of a broadcast is processed."`
	Nodes     nodesCommand     `cmd:"" help:"List the nodes of the cluster."`
	Ls        listCommand      `cmd:"" help:"List the broadcasts of the cluster."`
	Placement placementCommand `cmd:"" help:"Say where to publish and watch a broadcast."`
	Drain     drainCommand     `cmd:"" help:"Have a node take nobody new, and let its viewers go."`

	Publish publishCommand `cmd:"" help:"Publish the demo broadcast to one of several nodes."`
	Version versionCommand `cmd:"" help:"Print the version of this binary."`

	ProcessChild  processChildCommand  `cmd:"" hidden:""`
	SnapshotChild snapshotChildCommand `cmd:"" hidden:""`
}

// terminal is what a command has of the process.
type terminal struct {
	Parts
	env            func(string) (string, bool)
	stdout, stderr io.Writer
}

// usageError is an error of the command line or the configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Main runs the command line args, which begins behind the program's name, and returns the exit
// code.
func Main(args []string, env func(string) (string, bool), stdout, stderr io.Writer,
	parts Parts,
) int {
	done := false
	parser, err := kong.New(&grammar{},
		kong.Name("headwater"),
		kong.Description("A live-streaming runtime: every broadcast is a supervised actor tree."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { done = true }), // the help was printed
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100}),
		kong.ValueFormatter(helpOf(config.Fields())),
	)
	if err != nil {
		return report(stderr, err)
	}
	ctx, err := parser.Parse(args)
	if done {
		return exitOK
	}
	if err != nil {
		code := report(stderr, usageError{err})
		fmt.Fprintf(stderr, "Run \"%s --help\" for help.\n", helpedBy(err))
		return code
	}
	return report(stderr, ctx.Run(&terminal{parts, env, stdout, stderr}))
}

// report writes an error, a line for each of a list, and returns the exit code that it stands for.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "headwater: %s\n", strings.TrimSuffix(line, "\n"))
	}
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errSpent):
		return exitSpent
	}
	return exitFailed
}

// helpedBy returns the command whose help helps with an error of the command line.
func helpedBy(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if cmd := parse.Context.Selected(); cmd != nil {
			return cmd.FullPath()
		}
	}
	return "headwater"
}

// helpOf returns what writes a flag's help: that of the setting it is, and what it may be.
func helpOf(fields []config.Field) kong.HelpValueFormatter {
	help := make(map[string]string, len(fields))
	for _, f := range fields {
		help[f.Key] = f.Help
		if f.Allowed != "" {
			help[f.Key] += " [" + f.Allowed + "]"
		}
	}
	return func(value *kong.Value) string {
		if text, ok := help[value.Name]; ok {
			return text
		}
		return kong.DefaultHelpValueFormatter(value)
	}
}
