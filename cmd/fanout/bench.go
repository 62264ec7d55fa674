package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// bench is one run of the tool.
type bench struct {
	*options
	clock
	dir string
}

// gathering is the time in which the viewers of a case come, however many they are, so that the
// server is equally old when its memory is read.
const gathering = 2 * time.Second

// trial is one case while it runs.
type trial struct {
	*bench
	server     *server
	publishers *publishers
	crew       *crew
}

// measure measures every case of every round and reports.
func measure(ctx context.Context, o *options, dir string, args []string) error {
	c, err := newClock()
	if err != nil {
		return err
	}
	b := &bench{options: o, clock: c, dir: dir}
	r := results{Machine: machine(), Command: commandLine(args)}
	for run := range o.Runs {
		for _, protocol := range o.Protocols {
			b.round(ctx, &r, run, protocol)
		}
	}
	if err := r.report(os.Stdout, o.JSON); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if n := len(r.Failures); n > 0 {
		return fmt.Errorf("%d cases failed, the first: %s", n, r.Failures[0])
	}
	return nil
}

// idler is who has broadcasts but no viewers.
type idler struct {
	contender
	broadcasts int
}

// round measures every contender once, so that what disturbs the machine for a while disturbs all.
// A case that fails does not cost the figures of the others.
func (b *bench) round(ctx context.Context, r *results, run int, protocol string) {
	base := map[idler]resident{}
	for _, broadcasts := range b.Broadcasts {
		for _, n := range b.Viewers {
			for _, c := range contenders(b.options, protocol) {
				s := sample{subject: subject{c.name, c.merge, protocol, n, broadcasts}, Run: run}
				err := b.idle(ctx, c, &s, base)
				if err == nil {
					err = b.steady(ctx, c, &s)
				}
				if r.failed(ctx, s.subject, err) {
					continue
				}
				fmt.Fprintln(os.Stderr, s.line())
				r.Samples = append(r.Samples, s)
			}
		}
		if b.Crowd > 0 {
			b.crowds(ctx, r, run, protocol, broadcasts)
		}
	}
}

func (b *bench) crowds(ctx context.Context, r *results, run int, protocol string, broadcasts int) {
	for _, c := range contenders(b.options, protocol) {
		about := subject{c.name, c.merge, protocol, b.Crowd, broadcasts}
		s := crowdSample{subject: about, Run: run}
		if r.failed(ctx, about, b.crowd(ctx, c, &s)) {
			continue
		}
		fmt.Fprintln(os.Stderr, s.line())
		r.Crowds = append(r.Crowds, s)
	}
}

// idle measures, once a round, the memory of a contender that has broadcasts but no viewers. It is
// measured at the age that it has with viewers: the heap grows with the broadcasts too, until it is
// first collected.
func (b *bench) idle(
	ctx context.Context, c contender, s *sample, base map[idler]resident,
) (err error) {
	who := idler{c, s.Broadcasts}
	if known, ok := base[who]; ok {
		s.base = known
		return nil
	}
	ctx, cancel := b.deadline(ctx)
	defer cancel()
	t, err := b.start(ctx, c, s.subject)
	defer t.stop()
	if err != nil {
		return err
	}
	if err := t.pause(ctx, gathering+b.Warmup+b.Duration); err != nil {
		return err
	}
	s.base, err = memory(t.server.pid())
	base[who] = s.base
	return err
}

// start starts the server and the broadcasts, and lets the latter fill a GOP.
func (b *bench) start(ctx context.Context, c contender, about subject) (*trial, error) {
	t := &trial{bench: b}
	var err error
	if t.server, err = startServer(ctx, b.options, c, b.dir, about.Protocol); err != nil {
		return nil, err
	}
	t.publishers = publish(b.clock, b.options, c.publishes(), about.Broadcasts)
	if err := t.pause(ctx, b.Settle); err != nil {
		return t, err
	}
	t.crew, err = hire(ctx, audience{about.Protocol, about.Broadcasts, b.marker})
	return t, err
}

func (t *trial) stop() {
	if t == nil {
		return
	}
	if t.crew != nil {
		t.crew.stop()
	}
	t.publishers.stop()
	t.server.stop()
}

// pause lets time pass, if the publishers are well.
func (t *trial) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-t.publishers.failed:
		return fmt.Errorf("%w\n%s", err, t.server.tail())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// deadline is when a case is given up.
func (b *bench) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.Settle+b.Warmup+b.Duration+2*time.Minute)
}

// steady measures a case: many viewers who watch.
func (b *bench) steady(ctx context.Context, c contender, s *sample) error {
	ctx, cancel := b.deadline(ctx)
	defer cancel()
	t, err := b.start(ctx, c, s.subject)
	defer t.stop()
	if err != nil {
		return err
	}
	joined, err := t.crew.call(order{
		Op: opJoin, Count: s.Viewers, Every: gathering / time.Duration(s.Viewers),
	})
	if err != nil {
		return err
	}
	if joined.Failed > 0 {
		return fmt.Errorf("%d of %d viewers failed: %s\n%s", joined.Failed, s.Viewers, joined.Error,
			t.server.tail())
	}
	if err := t.pause(ctx, b.Warmup); err != nil {
		return err
	}
	if err := t.interval(ctx, s); err != nil {
		return err
	}
	if b.Joins == 0 {
		return nil
	}
	a, err := t.crew.call(order{Op: opProbe, Count: b.Joins, Every: 10 * time.Millisecond})
	s.Join, s.JoinsFailed = a.Joins, a.Failed
	return err
}

// interval measures what viewers who are there cost.
func (t *trial) interval(ctx context.Context, s *sample) error {
	before, _, err := t.look(opBegin)
	if err != nil {
		return err
	}
	if err := t.pause(ctx, t.Duration); err != nil {
		return err
	}
	after, a, err := t.look(opEnd)
	if err != nil {
		return err
	}
	m, err := memory(t.server.pid())
	if err != nil {
		return err
	}
	s.tally, s.Error = a.tally, a.Error
	s.Seconds = after.at - before.at
	s.ServerCPU = after.server - before.server
	s.ClientCPU = after.client - before.client
	s.OtherCPU = after.machine - before.machine - (after.ours - before.ours)
	s.Published = after.published - before.published
	s.BaseRSS = s.base.rss
	s.RSSPerViewer = float64(m.rss-s.base.rss) / float64(s.Viewers)
	s.AnonymousPerViewer = float64(m.anonymous-s.base.anonymous) / float64(s.Viewers)
	return nil
}

// reading is what all clocks show, in seconds.
type reading struct {
	at, server, client, ours, machine float64
	published                         int64 // units, of all broadcasts
}

// look reads all clocks while it gives an order that takes no time.
func (t *trial) look(op string) (reading, answer, error) {
	a, err := t.crew.call(order{Op: op})
	if err != nil {
		return reading{}, a, err
	}
	r := reading{at: float64(t.now()) / 1e9, client: a.CPU, published: t.publishers.units.Load()}
	if r.server, err = cpuSeconds(t.server.pid()); err != nil {
		return r, a, fmt.Errorf("%w\n%s", err, t.server.tail())
	}
	if r.ours, err = cpuSeconds(os.Getpid()); err != nil {
		return r, a, err
	}
	r.machine, err = machineSeconds()
	return r, a, err
}

// crowd measures what it is when many viewers join at once. They do so in the middle of a GOP.
func (b *bench) crowd(ctx context.Context, c contender, s *crowdSample) error {
	ctx, cancel := b.deadline(ctx)
	defer cancel()
	t, err := b.start(ctx, c, s.subject)
	defer t.stop()
	if err != nil {
		return err
	}
	for t.publishers.frames.Load()%gopFrames != gopFrames/2 {
		if err := t.pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	before, _, err := t.look(opBegin)
	if err != nil {
		return err
	}
	a, err := t.crew.call(order{Op: opCrowd, Count: s.Viewers})
	if err != nil {
		return err
	}
	cpu, err := cpuSeconds(t.server.pid())
	if err != nil {
		return err
	}
	s.Failed, s.Error, s.Join, s.Bytes = a.Failed, a.Error, a.Joins, a.Bytes
	s.AcceptSeconds, s.CaughtUpSeconds = a.Accepted, a.CaughtUp
	s.ServerCPU = cpu - before.server
	return nil
}

// crew is the process of the viewers.
type crew struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// hire starts the process of the viewers.
func hire(ctx context.Context, who audience) (*crew, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(who)
	if err != nil {
		return nil, err
	}
	c := &crew{cmd: child(ctx, []string{self, roleWatch, string(b)})}
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(out)
	return c, c.cmd.Start()
}

// call gives an order and waits for the answer.
func (c *crew) call(o order) (answer, error) {
	var a answer
	if err := json.NewEncoder(c.in).Encode(o); err != nil {
		return a, fmt.Errorf("order %s to the viewers: %w", o.Op, err)
	}
	if err := c.out.Decode(&a); err != nil {
		return a, fmt.Errorf("answer of the viewers to %s: %w", o.Op, err)
	}
	return a, nil
}

func (c *crew) stop() {
	if c.cmd.Process == nil {
		return
	}
	_ = c.in.Close()         // it ends by itself,
	_ = c.cmd.Process.Kill() // or so
	_ = c.cmd.Wait()         // it was killed
}
