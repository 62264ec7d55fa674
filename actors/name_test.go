package actors

import (
	"testing"
)

// No key names an actor that is below another key's.
func TestNamesDoNotCollide(t *testing.T) {
	below := []string{"/topic/source", "/viewers", "/viewers/viewer/1", "/relay", "/ingest"}
	keys := []string{"live/a", "live/eu/a", "live/a.1", "live/a/topic"}
	for _, key := range keys {
		for _, child := range below {
			keys = append(keys, key+child)
		}
	}
	seen := map[string]string{}
	for _, key := range keys {
		for _, name := range []string{edgeName(key, ""), broadcastName(key, 1)} {
			if other, found := seen[name]; found {
				t.Errorf("%s and %s are both %s", key, other, name)
			}
			seen[name] = key
		}
	}
	for name := range seen {
		for _, child := range below {
			if key, found := seen[name+child]; found {
				t.Errorf("%s is named like the child %s of %s", key, child, name)
			}
		}
	}
	if got := edgeName("live/eu/a", ""); got != "edge/live/eu:a" {
		t.Errorf("an edge is named %s", got)
	}
	if got := edgeName("a/b", ""); got != "edge/a/b" {
		t.Errorf("an edge is named %s", got)
	}
}
