package directory

import (
	"errors"
	"testing"
	"time"
)

func TestMemoryUse(t *testing.T) {
	files := map[string]string{
		"/proc/meminfo": "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  750 kB\n",
	}
	read := func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, errors.New("no such file")
		}
		return []byte(text), nil
	}
	if got := memoryUse(read); got != 0.25 {
		t.Errorf("the machine: %v", got)
	}
	files["/sys/fs/cgroup/memory.max"] = "2000\n"
	files["/sys/fs/cgroup/memory.current"] = "1500\n"
	files["/sys/fs/cgroup/memory.stat"] = "anon 5\ninactive_file 500\n"
	if got := memoryUse(read); got != 0.5 {
		t.Errorf("the group: %v", got)
	}
	files["/sys/fs/cgroup/memory.max"] = "max\n"
	if got := memoryUse(read); got != 0.25 {
		t.Errorf("no limit: %v", got)
	}
	if got := memoryUse(func(string) ([]byte, error) { return nil, errors.New("no") }); got != 0 {
		t.Errorf("nothing can be read: %v", got)
	}
}

func TestEgressIsARate(t *testing.T) {
	total := 1000.0
	s := Sampler{Counts: func() (int, float64) { return 3, total }}
	now := time.Unix(1, 0)
	if l := s.Sample(now); l.Egress != 0 || l.Viewers != 3 {
		t.Errorf("%+v", l)
	}
	total = 5000
	if l := s.Sample(now.Add(2 * time.Second)); l.Egress != 2000 {
		t.Errorf("%+v", l)
	}
	total = 0
	if l := s.Sample(now.Add(4 * time.Second)); l.Egress != 0 {
		t.Errorf("a count that fell: %+v", l)
	}
}
