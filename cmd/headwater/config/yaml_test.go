package config

import (
	"strings"
	"testing"
)

func TestYAMLTaken(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"a comment":          "# nothing set\n",
		"an empty document":  "---\n",
		"empty sections":     "rtmp:\nhttp: {}\nlog: ~\n",
		"ends in ---":        "publish:\n  grace: 1s\n---\n",
		"ends in ...":        "publish:\n  grace: 1s\n...\n",
		"begins with ---":    "---\npublish:\n  grace: 1s\n",
		"carriage returns":   "publish:\r\n  grace: 1s\r\n",
		"a zero of no unit":  "viewer: {wait: 0, merge-window: 0}\n",
		"quoted, flow style": `{"rtmp": {"listen": "127.0.0.1:0"}}`,
		"a port, not quoted": "rtmp:\n  listen: :1935\n",
		"comments between":   "rtmp: # here\n  # and here\n  listen: :1 # and here\n",
	} {
		c := Default()
		if problems := c.readYAML("f.yaml", []byte(text)); problems != nil {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

// problemOf is a text, and the problem with it behind "f.yaml:".
type problemOf struct{ text, want string }

// hasProblems reads texts that have one problem each.
func hasProblems(t *testing.T, problems ...problemOf) {
	t.Helper()
	for _, c := range problems {
		config := Default()
		var got []string
		for _, problem := range config.readYAML("f.yaml", []byte(c.text)) {
			got = append(got, problem.Error())
		}
		if strings.Join(got, "\n") != "f.yaml:"+c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.text, got, "f.yaml:"+c.want)
		}
		if config != Default() {
			t.Errorf("%q changed something: %+v", c.text, config)
		}
	}
}

func TestYAMLKeys(t *testing.T) {
	hasProblems(t, []problemOf{
		{"viewr: {wait: 1s}", "1: unknown key viewr; the nearest is viewer"},
		{"publish:\n  grase: 3s", "2: unknown key publish.grase; the nearest is publish.grace"},
		{"\n\ngrace: 3s", "3: unknown key grace; the nearest is publish.grace"},
		{"Log: {}", "1: unknown key Log; the nearest is log"},
		{
			"rtmp.listen: a",
			"1: unknown key rtmp.listen; the nearest is listen in the section rtmp",
		},
		{
			"node: {rtmp.listen: a}",
			"1: unknown key node.rtmp.listen; the nearest is rtmp.listen",
		},
		{"5: 1", "1: unknown key 5; the nearest is node.name"},
		{"\"a b\\n\": 1", `1: unknown key "a b\n"; the nearest is node.name`},
		{"? rtmp\n: 1", "1: want a plain key, found ? rtmp"},
		{"<<: {a: 1}", "1: want a plain key, found <<"},
		{"rtmp:\n  listen: :1\n  listen: :2", "3: mapping key \"listen\" already defined at [2:3]"},
		{"rtmp: {}\nrtmp: {}", "2: mapping key \"rtmp\" already defined at [1:1]"},
	}...)
}

func TestYAMLShapes(t *testing.T) {
	hasProblems(t, []problemOf{
		{"- a", "1: want sections such as rtmp:, found a list"},
		{"hello", "1: want sections such as rtmp:, found the text \"hello\""},
		{"rtmp: 5", "1: rtmp: want a section, found the number 5"},
		{"rtmp: [a]", "1: rtmp: want a section, found a list"},
		{"rtmp: &a\n  listen: :1", "1: rtmp: want a section, found an anchor"},
		{"rtmp: *a", "1: rtmp: want a section, found an alias"},
		{"rtmp: !!map\n  listen: :1", "1: rtmp: want a section, found a tag"},
		{"rtmp: {listen: {a: b}}", "1: rtmp.listen: want a value, found a section"},
		{"rtmp: {listen: [a]}", "1: rtmp.listen: want a value, found a list"},
		{"rtmp:\n  listen:\n", "2: rtmp.listen: want a value, found nothing"},
		{"rtmp: {}\n---\nhttp: {}", "3: a further document begins here; a file has one"},
		{"rtmp: [", "1: sequence end token ']' not found"},
		{"rtmp:\n\tlisten: x", "2: found character '\t' that cannot start any token"},
	}...)
}

func TestYAMLTypes(t *testing.T) {
	hasProblems(t, []problemOf{
		{
			"viewer: {max-skips: \"5\"}",
			"1: viewer.max-skips: want a whole number, found the text \"5\"",
		},
		{
			"viewer: {max-skips: 5.5}",
			"1: viewer.max-skips: want a whole number, found the number 5.5",
		},
		{"viewer: {max-skips: true}", "1: viewer.max-skips: want a whole number, found true"},
		{"viewer: {max-skips: 0x10}", "1: viewer.max-skips: 0x10 is not a whole number"},
		{
			"limits: {connections: 99999999999999999999}",
			"1: limits.connections: want a whole number, " +
				"found the text \"99999999999999999999\"",
		},
		{"node: {name: 5}", "1: node.name: want text, found the number 5"},
	}...)
}

func TestYAMLValues(t *testing.T) {
	hasProblems(t, []problemOf{
		{"rtmp: {listen: 1935}", "1: rtmp.listen: 1935 is not an address; try :1935"},
		{
			"viewer:\n  send-buffer: 12 furlongs",
			"2: viewer.send-buffer: 12 furlongs is not a size; try 256KiB",
		},
		{"topic: {time: 9m}", "1: topic.time: 9m is out of range; allowed: 1s to 5m"},
		{"topic: {bytes: 1B}", "1: topic.bytes: 1B is out of range; allowed: 1MiB to 4GiB"},
		{
			"viewer: {max-skips: -1}",
			"1: viewer.max-skips: -1 is out of range; allowed: 0 to 1000",
		},
		{"log: {level: loud}", "1: log.level: loud is none of debug, info, warn, error"},
		{"publish: {policy: x}", "1: publish.policy: x is none of takeover, reject"},
	}...)
}

// FuzzYAML reads any text. What is taken is valid by its own.
func FuzzYAML(f *testing.F) {
	for _, text := range []string{
		"", "rtmp:\n  listen: :1935\n", "viewer: {max-skips: 5, wait: 0}\n---\n",
		"{\"log\": {\"level\": \"info\"}}", "a: &a [*a]", "? [a]\n: b\n", "<<: *x\n", "a: !!int |\n  5",
		"- - - -", "rtmp:\n\tlisten", "node: {name: >-\n  a\n  b\n }",
	} {
		f.Add([]byte(text))
	}
	fields := Fields()
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Default()
		if c.readYAML("f.yaml", text) != nil {
			return
		}
		for i := range fields {
			again := Default()
			if err := fields[i].copyFrom(&again, &c); err != nil {
				t.Errorf("%s: %v", fields[i].Key, err)
			}
		}
	})
}
