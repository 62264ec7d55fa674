package av

import (
	"errors"
	"fmt"
)

// What an Error is, for errors.Is.
var (
	ErrInvalidData = errors.New("av: invalid data") // damaged, cut short, or not what it should be
	ErrFormat      = errors.New("av: format")       // not one that is handled, or not the codec's own
	ErrLimit       = errors.New("av: limit")        // beyond Limits
	ErrOption      = errors.New("av: option")       // outside of what an encoder takes
	ErrExhausted   = errors.New("av: exhausted")    // every frame of a Pool is out
	ErrMemory      = errors.New("av: memory")       // an allocation failed
	ErrClosed      = errors.New("av: closed")
	ErrUnavailable = errors.New("av: unavailable") // built without cgo, or libav lacks the codec
)

// Error tells which call failed and why.
type Error struct {
	Call   string // the function of libav, or ours when libav was not called
	Code   int    // libav's AVERROR, negative; 0 when we refused
	Reason string // libav's words for Code, or ours
	kind   error
}

// Error returns "av: CALL: REASON".
func (e *Error) Error() string { return "av: " + e.Call + ": " + e.Reason }

// Unwrap returns one of the Err values above, or nil.
func (e *Error) Unwrap() error { return e.kind }

// refuse makes the error of a call that did not reach libav.
func refuse(kind error, call, format string, args ...any) *Error {
	return &Error{Call: call, Reason: fmt.Sprintf(format, args...), kind: kind}
}

// either returns the first of two errors that is one.
func either(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
