package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The protocols of viewers.
const (
	protocolRTMP = "rtmp"
	protocolFLV  = "flv"
)

const mergeAdaptive = "adaptive"

// maxViewers is what one client process and one port are good for.
const maxViewers = 8000

const maxBroadcasts = 1000

// options are what a run measures, and how.
type options struct {
	Servers       []string
	Headwater     string
	HeadwaterArgs string
	Protocols     []string
	Viewers       []int
	Merge         []string
	Broadcasts    []int
	Bitrate       int // bits per second
	Duration      time.Duration
	Warmup        time.Duration
	Settle        time.Duration
	Joins         int
	Crowd         int
	Runs          int
	JSON          string

	marker uint64
}

func parseOptions(args []string) (*options, error) {
	o := &options{marker: rand.Uint64() | 0x8080808080808080}
	set := flag.NewFlagSet("fanout", flag.ContinueOnError)
	servers := set.String("servers", "headwater,bare,nginx-rtmp", "servers under test, in turn")
	protocols := set.String("protocol", "rtmp,flv", "protocols of the viewers")
	viewers := set.String("viewers", "100,500,1000", "numbers of viewers; empty: only -crowd")
	merge := set.String("merge", "0s", "merge windows of headwater and bare: durations, adaptive")
	set.StringVar(&o.Headwater, "headwater", "", "the headwater binary; empty: build it")
	set.StringVar(&o.HeadwaterArgs, "headwater-args", "", "more arguments of headwater run")
	broadcasts := set.String("broadcasts", "1", "numbers of broadcasts, which share the viewers out")
	set.IntVar(&o.Bitrate, "bitrate", 2_000_000, "bits per second of each broadcast")
	set.DurationVar(&o.Duration, "duration", 10*time.Second, "measured time")
	set.DurationVar(&o.Warmup, "warmup", 3*time.Second, "time with all viewers before it")
	set.DurationVar(&o.Settle, "settle", 3*time.Second, "time without viewers before that")
	set.IntVar(&o.Joins, "joins", 200, "viewers whose joins are measured, 10 ms apart, afterwards")
	set.IntVar(&o.Crowd, "crowd", 0, "viewers who join a server at once; 0: do not measure it")
	set.IntVar(&o.Runs, "runs", 1, "rounds over everything")
	set.StringVar(&o.JSON, "json", "", "file for all figures")
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unknown argument %q", set.Arg(0))
	}
	o.Servers, o.Protocols = list(*servers), list(*protocols)
	for _, m := range list(*merge) {
		if m != mergeAdaptive {
			d, err := time.ParseDuration(m)
			if err != nil {
				return nil, fmt.Errorf("-merge: %w", err)
			}
			m = d.String()
		}
		o.Merge = append(o.Merge, m)
	}
	var err error
	if o.Viewers, err = numbers(*viewers); err != nil {
		return nil, fmt.Errorf("-viewers: %w", err)
	}
	if o.Broadcasts, err = numbers(*broadcasts); err != nil {
		return nil, fmt.Errorf("-broadcasts: %w", err)
	}
	return o, o.check()
}

func numbers(s string) ([]int, error) {
	var out []int
	for _, v := range list(s) {
		n, err := strconv.Atoi(v)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func (o *options) check() error {
	for _, s := range o.Servers {
		if !slices.Contains([]string{serverHeadwater, serverEdge, serverBare, serverNginx}, s) {
			return fmt.Errorf("-servers: unknown server %q", s)
		}
	}
	for _, p := range o.Protocols {
		if p != protocolRTMP && p != protocolFLV {
			return fmt.Errorf("-protocol: unknown protocol %q", p)
		}
	}
	for _, n := range o.Viewers {
		if n < 1 || n > maxViewers {
			return fmt.Errorf("-viewers: %d, want 1 to %d", n, maxViewers)
		}
	}
	for _, n := range o.Broadcasts {
		if n < 1 || n > maxBroadcasts {
			return fmt.Errorf("-broadcasts: %d, want 1 to %d", n, maxBroadcasts)
		}
	}
	switch {
	case len(o.Broadcasts) == 0:
		return fmt.Errorf("-broadcasts: want a number")
	case o.Bitrate < 4*audioBits:
		return fmt.Errorf("-bitrate: %d, want at least %d", o.Bitrate, 4*audioBits)
	case o.Crowd < 0 || o.Crowd > maxViewers:
		return fmt.Errorf("-crowd: %d, want 0 to %d", o.Crowd, maxViewers)
	case o.Joins < 0 || o.Joins > maxViewers:
		return fmt.Errorf("-joins: %d, want 0 to %d", o.Joins, maxViewers)
	case o.Runs < 1 || o.Duration <= 0 || o.Warmup < 0 || o.Settle < 0:
		return fmt.Errorf("-runs, -duration, -warmup and -settle: want more than nothing")
	}
	return nil
}

// list splits at commas; nothing is an empty list.
func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}
