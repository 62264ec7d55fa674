package listen

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/settings"
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

// Rendition returns the rendition that a viewer asks for by a query, for example
// rendition=480p&token=x; "" is the public one, which is also what asking for the source gets.
func Rendition(query string) (string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", fmt.Errorf("%w: query %.40q", ErrRendition, query)
	}
	name := values.Get("rendition")
	switch {
	case name == "" || name == settings.Public || name == settings.Source:
		return "", nil
	case !settings.IsName(name):
		return "", fmt.Errorf("%w: %.40q; want 1 to 16 of a-z, 0-9 and -", ErrRendition, name)
	}
	return name, nil
}

// ErrRendition says that there can be no such rendition.
var ErrRendition = errors.New("not a rendition")

// Role returns the part that a publisher wants to play by a query, for example role=backup&token=x.
// What else is in the query is not looked at: it is the application's.
func Role(query string) (ingest.Role, error) {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case name != "role" || value == "":
		case value == ingest.Backup.String():
			return ingest.Backup, nil
		default:
			return ingest.Active, fmt.Errorf("%w: %.40q; want backup, or none", ErrRole, value)
		}
	}
	return ingest.Active, nil
}

// ErrRole says that a publisher can play no such part.
var ErrRole = errors.New("not a role")

func notInKey(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._~-", r)
}
