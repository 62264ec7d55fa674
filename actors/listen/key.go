package listen

import (
	"errors"
	"fmt"
	"strings"
)

// ErrKey says that an app and stream name make no broadcast key.
var ErrKey = errors.New("not a broadcast key")

// MaxKey bounds a key in bytes: it names actors and files.
const MaxKey = 128

// Key makes the key of a broadcast of what RTMP and HTTP clients give: the application and the
// stream name, whose query (a token) is not part of it. Each is one or more of letters, digits and
// ._~-, and the application may have several such parts.
func Key(app, name string) (string, error) {
	name, _, _ = strings.Cut(name, "?")
	app, _, _ = strings.Cut(app, "?")
	key := strings.Trim(app, "/") + "/" + strings.Trim(name, "/")
	if len(key) > MaxKey {
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrKey, len(key), MaxKey)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("%w: want app/name, for example live/KEY", ErrKey)
		}
	}
	if i := strings.IndexFunc(key, notInKey); i >= 0 {
		return "", fmt.Errorf("%w: %q at %d; want letters, digits and ._~-", ErrKey, key[i], i)
	}
	return key, nil
}

func notInKey(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._~-", r)
}
