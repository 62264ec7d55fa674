// Command fanout measures how a streaming server hands broadcasts out to many viewers: the
// processor time and memory that it costs, the delay, and how long it takes to join.
//
//	go run ./cmd/fanout -servers headwater,bare,nginx-rtmp -viewers 100,500 -merge 0s,50ms
//
// It runs in a network namespace of its own, whose loopback has an Ethernet's MTU, and needs root
// or a kernel that lets users make namespaces. In it, for one case after the other, it starts the
// server under test; publishes synthetic broadcasts to it by RTMP, each access unit of which
// carries its time and number; and starts one process with all the viewers, which reads those. The
// servers are Headwater, nginx with its RTMP module, and a bare Go program that does nothing but
// write each packet to each socket: the yardstick of what is possible. headwater-edge is an edge
// that has the broadcasts by a link from an origin in front of it: the figures are the edge's, the
// delay is the whole way.
//
// Each case is a fresh server: the broadcasts alone, then the viewers, the measured interval, and
// further viewers who join the crowd and leave. Processor time is that of the server's own process
// tree in the measured interval. Memory is what the server has at the end of it beyond what
// another instance of the same age has without viewers. Delay is from the publisher's write to the
// whole picture in the hands of the client, joining from connect to the first whole keyframe. Of
// those who join at once, a server's processor time and the bytes per join are up to when the last
// of them has what was published after he came.
//
// The tables show the median of all runs, with the least in brackets. "others CPU" is how many
// processors everything that is not part of the benchmark kept busy: it should be near 0.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
)

// The roles in which the tool runs itself.
const (
	roleBare  = "bare"
	roleWatch = "watch"
)

func main() {
	runtime.LockOSThread() // see child
	err := run(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case roleBare:
			return runBare(args[1:])
		case roleWatch:
			return runWatch(args[1:])
		}
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	dir := os.Getenv(inside)
	if dir == "" {
		return prepare(o)
	}
	defer os.RemoveAll(dir)
	if err := checkNamespace(); err != nil {
		return err
	}
	if err := raiseLimits(2*maxViewers + 384); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if o.Headwater == "" {
		o.Headwater = filepath.Join(dir, serverHeadwater)
	}
	return measure(ctx, o, dir, args)
}

// prepare does what needs the world outside, and goes inside.
func prepare(o *options) error {
	dir, err := os.MkdirTemp("", "fanout-")
	if err != nil {
		return err
	}
	if o.Headwater == "" && (slices.Contains(o.Servers, serverHeadwater) ||
		slices.Contains(o.Servers, serverEdge)) {
		out := filepath.Join(dir, serverHeadwater)
		cmd := exec.Command("go", "build", "-trimpath", "-o", out, "./cmd/headwater")
		cmd.Stderr = os.Stderr
		err = cmd.Run()
	}
	if err == nil {
		err = enter(dir)
	}
	os.RemoveAll(dir)
	return err
}
