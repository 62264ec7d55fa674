package listen

import (
	"errors"
	"strings"
	"testing"
)

var keys = []struct{ app, name, key string }{
	{"live", "a", "live/a"},
	{"live", "a?token=x/../y", "live/a"},
	{"live?x=y", "a", "live/a"},
	{"/live/", "/a/", "live/a"},
	{"live/eu", "a.b_c~d-9", "live/eu/a.b_c~d-9"},
	{"live", "a/b", "live/a/b"},
	{"Live", "...", "Live/..."},
	{"live", strings.Repeat("a", MaxKey-5), "live/" + strings.Repeat("a", MaxKey-5)},
	{"live", strings.Repeat("a", MaxKey-4), ""},
	{"live", "", ""},
	{"", "a", ""},
	{"", "", ""},
	{"live", "?a", ""},
	{"?", "a", ""},
	{"live", "..", ""},
	{"..", "a", ""},
	{"live/../x", "a", ""},
	{"live", ".", ""},
	{"live//eu", "a", ""},
	{"live", "a b", ""},
	{"live", "ä", ""},
	{"live", "a\x00", ""},
	{"live", "a%2f", ""},
	{"live", "a\\b", ""},
	{"live", "a:b", ""},
	{"live", "\xff", ""},
}

func TestKey(t *testing.T) {
	for _, c := range keys {
		key, err := Key(c.app, c.name)
		if key != c.key || (err != nil) != (c.key == "") || err != nil && !errors.Is(err, ErrKey) {
			t.Errorf("Key(%q, %q) = %q, %v; want %q", c.app, c.name, key, err, c.key)
		}
	}
}

func TestRole(t *testing.T) {
	for query, want := range map[string]string{
		"": "active", "token=%zz;x": "active", "role=": "active", "role=backup": "backup",
		"token=%zz;x&role=backup": "backup", "roles=x&role": "active", "role=Backup": "",
		"role=active": "", "role=backup2": "", "a=b&role=%62ackup": "",
	} {
		role, err := Role(query)
		if want == "" && errors.Is(err, ErrRole) {
			continue
		}
		if err != nil || role.String() != want {
			t.Errorf("%q: %v, %v; want %q", query, role, err, want)
		}
	}
}

// What is a key names the same broadcast however it is taken apart.
func FuzzKey(f *testing.F) {
	for _, c := range keys {
		f.Add(c.app, c.name)
	}
	f.Fuzz(func(t *testing.T, app, name string) {
		key, err := Key(app, name)
		if err != nil {
			if !errors.Is(err, ErrKey) || key != "" {
				t.Fatalf("%q with %v", key, err)
			}
			return
		}
		if len(key) > MaxKey || strings.Count(key, "/") < 1 {
			t.Fatalf("%q is no key", key)
		}
		for part := range strings.SplitSeq(key, "/") {
			if part == "" || part == "." || part == ".." {
				t.Fatalf("%q has the part %q", key, part)
			}
		}
		dir, base, _ := cutLast("/" + key)
		if again, err := Key(dir, base); err != nil || again != key {
			t.Fatalf("%q becomes %q, %v", key, again, err)
		}
	})
}
