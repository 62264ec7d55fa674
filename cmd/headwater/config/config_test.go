package config

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files again")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; see go test -update and git diff. Got:\n%s", path, got)
	}
}

func TestReference(t *testing.T) { golden(t, "reference.md", Reference()) }

// TestFields holds every field to what the help and the reference need of it.
func TestFields(t *testing.T) {
	c := Default()
	seen := map[string]bool{}
	for _, f := range Fields() {
		if seen[f.Key] || seen[f.Env()] {
			t.Errorf("%s: its name is not its own", f.Key)
		}
		seen[f.Key], seen[f.Env()] = true, true
		if !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%s: help %q is no sentence", f.Key, f.Help)
		}
		if got := f.Text(&c); got != f.Default {
			t.Errorf("%s: default %q is written as %q", f.Key, f.Default, got)
		}
		if (f.low == "") != (f.high == "") {
			t.Errorf("%s: half a range, %q to %q", f.Key, f.low, f.high)
		}
	}
	if len(seen)/2 != 56 {
		t.Errorf("%d settings, of 56", len(seen)/2)
	}
}

func TestDefault(t *testing.T) {
	want := Config{
		Node: Node{Roles: "origin,edge"},
		Cluster: Cluster{
			Name: "headwater", EmbedDir: "headwater.etcd",
			EmbedListen: "127.0.0.1:2379", EmbedPeer: "127.0.0.1:2380",
		},
		RTMP:    RTMP{Listen: ":1935"},
		HTTP:    HTTP{Listen: ":8080"},
		Link:    Link{MaxBehind: Duration(3 * time.Second)},
		Publish: Publish{Policy: Takeover, Grace: Duration(30 * time.Second)},
		Viewer: Viewer{
			Wait: Duration(30 * time.Second), MergeWindow: Adaptive,
			MaxBehind: Duration(3 * time.Second), MaxStall: Duration(10 * time.Second),
			MaxSkips: 10, Linger: Duration(10 * time.Second), SendBuffer: 256 << 10,
		},
		Topic: Topic{Time: Duration(8 * time.Second), Bytes: 32 << 20},
		Processing: Processing{
			Policy: WhenAsked, Isolation: InProcess, Memory: 512 << 20, Preset: "superfast",
			Loudness: true, MaxSide: 2560, MaxPixels: 2048 * 2048,
		},
		Limits: Limits{
			Connections: 20000, PerAddress: 5000, Negotiating: 1000,
			Handshake: Duration(10 * time.Second), Idle: Duration(30 * time.Second),
			Message: 8 << 20,
		},
		Stop: Stop{Deadline: Duration(10 * time.Second)},
		Log:  Log{Level: "info", Format: "text"},
	}
	if got := Default(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if loaded, err := Load(Sources{}); err != nil || loaded.Node.Name == "" {
		t.Errorf("with no source at all: %+v, %v", loaded, err)
	}
}

// write makes a file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := pairs[name]
		return value, ok
	}
}

// TestPrecedence gives one setting by every set of sources.
func TestPrecedence(t *testing.T) {
	file := write(t, "publish: {grace: 1s}\n")
	env := environment(map[string]string{"HEADWATER_PUBLISH_GRACE": "2s"})
	flags := Config{Publish: Publish{Grace: Duration(3 * time.Second)}}
	for name, c := range map[string]struct {
		src  Sources
		want string
	}{
		"nothing":           {Sources{}, "30s"},
		"file":              {Sources{File: file}, "1s"},
		"env":               {Sources{Env: env}, "2s"},
		"env, file":         {Sources{File: file, Env: env}, "2s"},
		"flag":              {Sources{Flags: flags, Given: []string{"publish.grace"}}, "3s"},
		"flag not given":    {Sources{Flags: flags, File: file}, "1s"},
		"flag of the shell": {Sources{Flags: flags, Given: []string{"demo"}, File: file}, "1s"},
		"flag, env, file": {
			Sources{Flags: flags, Given: []string{"publish.grace"}, Env: env, File: file}, "3s",
		},
	} {
		got, err := Load(c.src)
		if err != nil || got.Publish.Grace.String() != c.want {
			t.Errorf("%s: %v, %v; want %s", name, got.Publish.Grace, err, c.want)
		}
	}
}

// TestEveryFieldBySource writes a setting other than the default by file and by environment.
func TestEveryFieldBySource(t *testing.T) {
	other := map[reflect.Type]string{
		reflect.TypeFor[Address]():     "127.0.0.1:0",
		reflect.TypeFor[Duration]():    "2s",
		reflect.TypeFor[MergeWindow](): "50ms",
		reflect.TypeFor[Size]():        "1MiB",
		reflect.TypeFor[int]():         "77",
		reflect.TypeFor[string]():      "other",
		reflect.TypeFor[Origins]():     "o-1=10.0.0.1:1936,o-2=[::1]:1936",
		reflect.TypeFor[Etcd]():        "https://10.0.0.1:2379,10.0.0.2:2379",
		reflect.TypeFor[Roles]():       "edge",
	}
	for _, f := range Fields() {
		want := other[reflect.TypeFor[Config]().FieldByIndex(f.index).Type]
		if other := Default(); f.low != "" && f.set(&other, want) != nil {
			want = f.high
		}
		if f.Allowed == "true, false" {
			want = map[string]string{"true": "false", "false": "true"}[f.Default]
		}
		if f.oneof != nil {
			want = f.oneof[len(f.oneof)-1]
		}
		section, name, _ := strings.Cut(f.Key, ".")
		c := Default()
		text := section + ":\n  " + name + ": " + want + "\n"
		if problems := c.readYAML("f", []byte(text)); problems != nil || f.Text(&c) != want {
			t.Errorf("%s: %q, %v; want %q", f.Key, f.Text(&c), problems, want)
		}
		b := Default()
		if err := f.copyFrom(&b, &c); err != nil || b != c {
			t.Errorf("%s: %v, %v", f.Key, b, err)
		}
		env := environment(map[string]string{f.Env(): "\x00"})
		if _, err := Load(Sources{Env: env}); err == nil {
			t.Errorf("%s: a NUL was taken from the environment", f.Key)
		}
	}
}

func TestProblemsOfSources(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	big := write(t, strings.Repeat("#", fileSizeMax+1))
	flags := Config{Viewer: Viewer{MaxSkips: 5000}, Log: Log{Level: "loud"}}
	for name, c := range map[string]struct {
		src  Sources
		want []string
	}{
		"no file":   {Sources{File: missing}, []string{missing + ": no such file"}},
		"directory": {Sources{File: t.TempDir()}, []string{"is a directory"}},
		"big file":  {Sources{File: big}, []string{"more than 1048576 bytes"}},
		"environment": {
			Sources{Env: environment(map[string]string{
				"HEADWATER_VIEWER_SEND_BUFFER": "12 furlongs", "HEADWATER_RTMP_LISTEN": "here",
			})},
			[]string{
				"HEADWATER_VIEWER_SEND_BUFFER: 12 furlongs is not a size; try 256KiB",
				"HEADWATER_RTMP_LISTEN: here is not an address host:port; try :1935",
			},
		},
		"switches": {
			Sources{
				File: write(t, "processing: {hybrid: 1, loudness: 'true', isolation: jail}\n"),
				Env:  environment(map[string]string{"HEADWATER_PROCESSING_LOUDNESS": "yes"}),
			},
			[]string{
				"processing.hybrid: want true or false, found the number 1",
				`processing.loudness: want true or false, found the text "true"`,
				"processing.isolation: jail is none of in-process, process",
				"HEADWATER_PROCESSING_LOUDNESS: yes is neither true nor false",
			},
		},
		"flags": {
			Sources{Flags: flags, Given: []string{"viewer.max-skips", "log.level"}},
			[]string{
				"--viewer.max-skips: 5000 is out of range; allowed: 0 to 1000",
				"--log.level: loud is none of debug, info, warn, error",
			},
		},
		"all at once": {
			Sources{
				File:  write(t, "a: 1\n\nb: 2\n"),
				Env:   environment(map[string]string{"HEADWATER_LOG_FORMAT": "xml"}),
				Flags: flags, Given: []string{"log.level"},
			},
			[]string{"node.yaml:1: ", "node.yaml:3: ", "HEADWATER_LOG_FORMAT", "--log.level"},
		},
	} {
		_, err := Load(c.src)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %q in it", name, err, want)
			}
		}
		if lines := strings.Count(err.Error(), "\n") + 1; lines != len(c.want) {
			t.Errorf("%s: %d lines, want %d:\n%v", name, lines, len(c.want), err)
		}
	}
}

func TestNearest(t *testing.T) {
	var keys []string
	for _, f := range Fields() {
		keys = append(keys, f.Key)
	}
	for unknown, want := range map[string]string{
		"publish.grase":         "publish.grace",
		"publish.garce":         "publish.grace",
		"viewer.maxskips":       "viewer.max-skips",
		"viewer.max_behind":     "viewer.max-behind",
		"rtmp.tlslisten":        "rtmp.tls-listen",
		"Log.Level":             "log.level",
		"limits.max-stall":      "viewer.max-stall",
		"grace":                 "publish.grace",
		"limits.conn-per-addr":  "limits.connections",
		"log.lëvel":             "log.level",
		"topic.byte":            "topic.bytes",
		"viewer.merge-windwo":   "viewer.merge-window",
		"connections-per-adres": "limits.connections-per-address",
	} {
		if got := nearest(unknown, keys); got != want {
			t.Errorf("%s: %s, want %s", unknown, got, want)
		}
	}
	if got := nearest("x", nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
	if d := edits("kitten", "sitting"); d != 3 {
		t.Errorf("kitten to sitting: %d edits, want 3", d)
	}
	if d := edits("ab", "ba"); d != 1 {
		t.Errorf("a swap of neighbours: %d edits, want 1", d)
	}
}
