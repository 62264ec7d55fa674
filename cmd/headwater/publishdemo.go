package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/headwater-live/headwater/cmd/headwater/demo"
	"github.com/headwater-live/headwater/cmd/headwater/publish"
)

// publishCommand publishes the demo broadcast, as an encoder that knows several nodes would.
type publishCommand struct {
	To  []string `arg:"" name:"host:port" help:"RTMP addresses of nodes; each is tried in turn."`
	Key string   `default:"demo" placeholder:"KEY" help:"Stream key, of the application live."`
}

// Help is the text below the command's one line.
func (*publishCommand) Help() string {
	return `Whenever the connection is lost, the next address is tried, until SIGINT or SIGTERM.

Example:

    headwater publish 10.0.0.1:1935 10.0.0.2:1935 --key demo`
}

// Run is called by kong.
func (p *publishCommand) Run(t *terminal) error {
	for _, address := range p.To {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return usageError{fmt.Errorf("%s is not host:port; try localhost:1935", address)}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(t.stderr, nil))
	return publish.Any(ctx, p.To, "live", p.Key, demo.FLV(), log)
}
