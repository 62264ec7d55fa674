package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cpu measures utilisation between two calls.
type cpu struct {
	at      time.Time
	process time.Duration
	busy    uint64
	total   uint64
}

// sample returns the utilisation since the last sample, from 0 to 1: the greater of the process'
// share of its own processors and the machine's share of all, as a neighbour's load leaves no more
// to spare than ours.
func (c *cpu) sample(now time.Time) (float64, error) {
	process, err := processTime()
	if err != nil {
		return 0, err
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	busy, total, err := parseStat(stat)
	if err != nil {
		return 0, err
	}
	last := *c
	*c = cpu{at: now, process: process, busy: busy, total: total}
	if last.at.IsZero() || !now.After(last.at) {
		return 0, nil
	}
	ours := float64(process-last.process) / float64(now.Sub(last.at)) / float64(runtime.GOMAXPROCS(0))
	all := 0.0
	if total > last.total && busy > last.busy { // the kernel's counts may fall, see proc_stat(5)
		all = float64(busy-last.busy) / float64(total-last.total)
	}
	return min(1, max(ours, all)), nil
}

func processTime() (time.Duration, error) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// Fields of the first line of /proc/stat after its name (proc_stat(5)).
const (
	statIdle   = 3
	statIOWait = 4
	statFields = 8 // user nice system idle iowait irq softirq steal; guest times are within user
)

var errStat = errors.New("/proc/stat: no cpu line")

// parseStat returns the busy and total ticks of all processors.
func parseStat(stat []byte) (busy, total uint64, err error) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 1+statFields || string(fields[0]) != "cpu" {
		return 0, 0, errStat
	}
	for i, field := range fields[1 : 1+statFields] {
		n, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: field %d: %w", i+1, err)
		}
		total += n
		if i != statIdle && i != statIOWait {
			busy += n
		}
	}
	return busy, total, nil
}

// CPU measures utilisation for who needs it beside the actor.
type CPU struct{ cpu cpu }

// Sample returns the utilisation since the last sample, 0 to 1: see the actor's metric.
func (c *CPU) Sample(now time.Time) (float64, error) { return c.cpu.sample(now) }
