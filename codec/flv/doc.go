// Package flv reads and writes FLV tags and classifies their bodies, which are also the bodies of
// RTMP messages: legacy FLV (Adobe Flash Video File Format 10.1, Annex E) and the extended headers
// of Enhanced RTMP v1 and v2.
//
// A tag on the wire is an eleven byte header, a body, and four bytes that repeat the tag's size.
// Only the header differs between viewers (it carries the DTS), so a body is written once into the
// memory that NewBody gives and then shared for ever.
package flv

import "errors"

// ErrTruncated says that a body ends inside a header that it began.
var ErrTruncated = errors.New("flv: truncated")

// ErrInvalid says that a header holds a value that no version of the format defines.
var ErrInvalid = errors.New("flv: invalid")
