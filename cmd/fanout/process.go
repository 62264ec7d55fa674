package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tree returns a process and its descendants.
func tree(pid int) ([]int, error) {
	pids := []int{pid}
	for i := 0; i < len(pids); i++ {
		lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[i]))
		if err != nil {
			return nil, err
		}
		for _, list := range lists {
			b, err := os.ReadFile(list)
			if err != nil {
				continue // the thread has ended
			}
			for _, field := range strings.Fields(string(b)) {
				child, err := strconv.Atoi(field)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", list, err)
				}
				pids = append(pids, child)
			}
		}
	}
	return pids, nil
}

// cpuSeconds is the user and system time of a process tree. It is the sum that /proc/PID/stat gives
// in hundredths of a second, threads that have ended included, from the clock that the kernel keeps
// it by.
func cpuSeconds(pid int) (float64, error) {
	pids, err := tree(pid)
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, p := range pids {
		var ts unix.Timespec
		const scheduled = 2 // CPUCLOCK_SCHED, of include/linux/posix-timers.h
		if err := unix.ClockGettime(int32(^p<<3|scheduled), &ts); err != nil {
			return 0, fmt.Errorf("CPU clock of process %d: %w", p, err)
		}
		sum += float64(ts.Nano()) / 1e9
	}
	return sum, nil
}

// resident is the memory of a process tree in bytes.
type resident struct {
	rss       int64
	anonymous int64 // of that, what no file backs: heap and stacks
}

func memory(pid int) (resident, error) {
	pids, err := tree(pid)
	if err != nil {
		return resident{}, err
	}
	var sum resident
	for _, p := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
		if err != nil {
			return resident{}, err
		}
		for line := range bytes.Lines(b) {
			fields := strings.Fields(string(line))
			if len(fields) < 2 {
				continue
			}
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			switch fields[0] {
			case "Rss:":
				sum.rss += kib << 10
			case "Anonymous:":
				sum.anonymous += kib << 10
			}
		}
	}
	if sum.rss == 0 {
		return resident{}, fmt.Errorf("process %d has no resident memory", pid)
	}
	return sum, nil
}

// machineSeconds is the time that all processors of the machine were busy since it started.
func machineSeconds() (float64, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseMachine(string(b))
}

// parseMachine adds up the first line of /proc/stat but idle and iowait: user nice system idle
// iowait irq softirq steal, in hundredths of a second.
func parseMachine(stat string) (float64, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var sum int64
	for i, f := range fields[1:9] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		if idle, iowait := 3, 4; i != idle && i != iowait {
			sum += n
		}
	}
	return float64(sum) / 100, nil
}
