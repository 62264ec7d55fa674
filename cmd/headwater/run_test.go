package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/cmd/headwater/config"
)

// TestFirstSignalDrains sends this process a real SIGTERM while a node runs.
func TestFirstSignalDrains(t *testing.T) {
	before := goleak.IgnoreCurrent() // the end of a node that another test ran takes a while
	run := func(ctx context.Context, _ config.Config, _ *slog.Logger, _ bool, out io.Writer) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		<-ctx.Done()
		_, err := io.WriteString(out, "drained\n")
		return err
	}
	got := command(Parts{Run: run}, nil, "run")
	if got.code != exitOK || got.stdout != "drained\n" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(got.stderr, "stopping") || !strings.Contains(got.stderr, "terminated") {
		t.Errorf("log is %q", got.stderr)
	}
	goleak.VerifyNone(t, signalLoop(), before)
}

// TestSecondSignalStops has a node that does not heed the first.
func TestSecondSignalStops(t *testing.T) {
	before := goleak.IgnoreCurrent()
	signals := make(chan os.Signal)
	release, ended := make(chan struct{}), make(chan struct{})
	result := make(chan error)
	go func() {
		result <- serve(signals, slog.New(slog.DiscardHandler), func(context.Context) error {
			defer close(ended)
			<-release
			return nil
		})
	}()
	signals <- os.Interrupt
	signals <- syscall.SIGTERM
	if err := <-result; err == nil || !strings.Contains(err.Error(), "second signal: terminated") {
		t.Error(err)
	}
	close(release)
	<-ended
	goleak.VerifyNone(t, signalLoop(), before)
}

// TestErrorAfterSignal has a node that does not stop well.
func TestErrorAfterSignal(t *testing.T) {
	late := errors.New("3 goroutines left")
	signals := make(chan os.Signal, 1)
	signals <- os.Interrupt
	err := serve(signals, slog.New(slog.DiscardHandler), func(ctx context.Context) error {
		<-ctx.Done()
		return late
	})
	if !errors.Is(err, late) {
		t.Error(err)
	}
}

// signalLoop excepts the one goroutine that package os/signal keeps once it was used.
func signalLoop() goleak.Option {
	return goleak.IgnoreTopFunction("os/signal.signal_recv")
}

func TestLogger(t *testing.T) {
	for _, level := range []string{"debug", "info", "warn", "error"} {
		log, err := newLogger(config.Log{Level: level, Format: "text"}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []slog.Level{
			slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError,
		} {
			want := strings.Index("debug info warn error", strings.ToLower(l.String())) >=
				strings.Index("debug info warn error", level)
			if got := log.Enabled(t.Context(), l); got != want {
				t.Errorf("at %s, %s: %v, want %v", level, l, got, want)
			}
		}
	}
	if _, err := newLogger(config.Log{Level: "loud"}, io.Discard); err == nil {
		t.Error("took an unknown level")
	}
}
