package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// crowded is how many broadcasts are processed at once.
const crowded = 8

// sample is what a node holds at a time, and what it has done by then.
type sample struct {
	at                            time.Duration
	resident, heap                float64 // MB
	frames, codecs                float64
	goroutines, files             float64
	encoded, passed, dropped, cpu float64
}

func (n *node) sample(t *testing.T, began time.Time) sample {
	t.Helper()
	text := n.metrics(t)
	value := func(name string, labels ...string) float64 {
		sum, _ := sumOf(t, text, name, labels)
		return sum
	}
	const pictures = "headwater_process_pictures_total"
	return sample{
		at:         time.Since(began),
		resident:   value("process_resident_memory_bytes") / 1e6,
		heap:       value("go_memstats_heap_inuse_bytes") / 1e6,
		frames:     value("headwater_process_frames"),
		codecs:     value("headwater_process_codecs"),
		goroutines: value("go_goroutines"),
		files:      value("process_open_fds"),
		encoded:    value(pictures, `outcome="encoded"`),
		passed:     value(pictures, `outcome="passed"`),
		dropped:    value(pictures, `outcome="dropped"`),
		cpu:        value("process_cpu_seconds_total"),
	}
}

// String is a line of the soak's table.
func (s *sample) String() string {
	return fmt.Sprintf("%6.0f s  resident %4.0f MB  heap %4.0f MB  frames %3.0f  codecs %2.0f  "+
		"goroutines %3.0f  files %3.0f  encoded %6.0f  passed %5.0f  dropped %5.0f  cpu %5.0f s",
		s.at.Seconds(), s.resident, s.heap, s.frames, s.codecs, s.goroutines, s.files,
		s.encoded, s.passed, s.dropped, s.cpu)
}

// TestSoak has eight broadcasts processed at once, one of them blurred and not by turns, each with
// a viewer. What the node holds does not grow. In full it is ten minutes of 720p at 30 a second, in
// short a few seconds of little pictures.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, s, every := soak(t), &landscape, 10*time.Second
	if length == 0 {
		length, s, every = 12*time.Second, &small, time.Second
	}
	n := launchNode(t, "--processing.policy", "always")
	path := filepath.Join(t.TempDir(), "shot.flv")
	if err := os.WriteFile(path, s.get(t), 0o600); err != nil {
		t.Fatal(err)
	}
	var received [crowded]*atomic.Int64
	for i := range crowded {
		key := fmt.Sprint("soak", i)
		start(t, "ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-loglevel", "error", "-re",
			"-stream_loop", "-1", "-i", path, "-c", "copy", "-f", "flv", n.rtmpURL(key))
		n.awaitState(t, key, 1, "live")
		received[i] = n.drain(t, key)
	}
	samples := soakFor(t, n, s, length, every)
	for i, bytes := range received {
		if rate := float64(8*bytes.Load()) / length.Seconds() / 1000; rate < 100 {
			t.Errorf("the viewer of broadcast %d got %.0f kbit a second", i, rate)
		}
	}
	judgeSoak(t, samples)
	t.Logf("renditions that began anew: %.0f",
		n.metric(t, "headwater_actor_failures_total", `kind="process"`))
	n.stop(t)
}

// drain watches a broadcast without keeping it, and counts the bytes.
func (n *node) drain(t *testing.T, key string) *atomic.Int64 {
	t.Helper()
	count := &atomic.Int64{}
	response, err := http.Get(n.flvURL(key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			read, err := response.Body.Read(buffer)
			count.Add(int64(read))
			if err != nil {
				return
			}
		}
	}()
	return count
}

// soakFor takes samples while the blur of the first broadcast goes on and off.
func soakFor(t *testing.T, n *node, s *shot, length, every time.Duration) (all []sample) {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; time.Since(began) < length; i++ {
		<-tick.C
		now := n.sample(t, began)
		all = append(all, now)
		t.Log(&now)
		if i%2 == 0 {
			n.blur(t, "soak0", modes[i/2%len(modes)], s.marker.rect)
		} else {
			n.blur(t, "soak0", "")
		}
	}
	return all
}

// judgeSoak holds the last third of the samples to the middle one, by what is usual in each: where
// the machine stands still for a moment, pictures wait and a stuck rendition begins anew.
func judgeSoak(t *testing.T, all []sample) {
	t.Helper()
	third := len(all) / 3
	middle, end := all[third:2*third], all[2*third:]
	for what, of := range map[string]struct {
		get   func(*sample) float64
		slack float64
	}{
		"resident MB": {func(s *sample) float64 { return s.resident }, 24},
		"frames":      {func(s *sample) float64 { return s.frames }, 8},
		"codecs":      {func(s *sample) float64 { return s.codecs }, 1},
		"goroutines":  {func(s *sample) float64 { return s.goroutines }, 6},
		"files":       {func(s *sample) float64 { return s.files }, 6},
	} {
		before, after := median(middle, of.get), median(end, of.get)
		t.Logf("%s: %.0f in the middle, %.0f at the end", what, before, after)
		if after > before*1.05+of.slack {
			t.Errorf("%s grow: %.0f in the middle, %.0f at the end", what, before, after)
		}
	}
	first, last := all[0], all[len(all)-1]
	seconds := (last.at - first.at).Seconds()
	t.Logf("%d broadcasts: %.1f pictures a second each, %.1f left out to be in time, %.2f lost; "+
		"%.2f of %d cores", crowded, (last.encoded-first.encoded)/seconds/crowded,
		(last.passed-first.passed)/seconds/crowded, (last.dropped-first.dropped)/seconds/crowded,
		(last.cpu-first.cpu)/seconds, runtime.NumCPU())
	if last.encoded == first.encoded {
		t.Error("no picture was processed")
	}
}

func median(all []sample, get func(*sample) float64) float64 {
	values := make([]float64, len(all))
	for i := range all {
		values[i] = get(&all[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
