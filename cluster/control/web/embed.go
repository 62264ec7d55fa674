// Package web is the page at /: it lists the broadcasts of a node, plays one with mpegts.js and
// shows the node's tree. It is a few static files that ask nothing of any other host; what they
// show comes from /v1/broadcasts, /debug/tree and /KEY.flv of the node that served them.
package web

import (
	"embed"
	"io/fs"
)

//go:generate ../../../deploy/scripts/player.sh update

//go:embed index.html style.css app.js broadcasts.js playback.js icon.svg
//go:embed player/mpegts.js player/LICENSE player/LICENSE.es6-promise player/LICENSE.events
var files embed.FS

// Files returns the page: index.html at its root, and what that file asks for.
func Files() fs.FS { return files }

// ContentSecurityPolicy is the header to serve the page with. The player hands media to the browser
// as blob: addresses and inserts no script or style of its own.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self'; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'self'"
