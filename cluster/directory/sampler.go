package directory

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/headwater-live/headwater/actors/load"
)

// Sampler measures a node's load for its record.
type Sampler struct {
	// Counts says how many viewers there are, and how many bytes were ever written to them.
	Counts func() (viewers int, egress float64)

	cpu    load.CPU
	last   time.Time
	egress float64
}

// Sample measures. What cannot be measured counts as nothing.
func (s *Sampler) Sample(now time.Time) Load {
	var l Load
	if share, err := s.cpu.Sample(now); err == nil {
		l.CPU = round(share)
	}
	l.Memory = round(memoryUse(os.ReadFile))
	if s.Counts == nil {
		return l
	}
	viewers, egress := s.Counts()
	l.Viewers = max(0, viewers)
	if passed := now.Sub(s.last).Seconds(); !s.last.IsZero() && passed > 0 {
		l.Egress = max(0, int64((egress-s.egress)/passed))
	}
	s.last, s.egress = now, egress
	return l
}

// round leaves out what nobody decides by.
func round(share float64) float64 { return math.Round(min(1, max(0, share))*1000) / 1000 }

// memoryUse is the share of the memory that is in use: the machine's, or that of the group of
// processes which this one is in, if that is greater.
func memoryUse(read func(string) ([]byte, error)) float64 {
	share := 0.0
	if text, err := read("/proc/meminfo"); err == nil {
		total, available := meminfo(text, "MemTotal:"), meminfo(text, "MemAvailable:")
		if total > 0 && available <= total {
			share = 1 - available/total
		}
	}
	limit, err := read("/sys/fs/cgroup/memory.max")
	if err != nil {
		return share
	}
	current, err := read("/sys/fs/cgroup/memory.current")
	if err != nil {
		return share
	}
	stat, err := read("/sys/fs/cgroup/memory.stat")
	if err != nil {
		return share
	}
	bound, used := number(limit), number(current)-meminfo(stat, "inactive_file")
	if bound > 0 && used > 0 {
		share = max(share, used/bound)
	}
	return share
}

// meminfo is the number behind a name at the beginning of a line, 0 if there is none.
func meminfo(text []byte, name string) float64 {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) > 1 && string(fields[0]) == name {
			return number(fields[1])
		}
	}
	return 0
}

func number(text []byte) float64 {
	n, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}
