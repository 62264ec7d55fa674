// Package av decodes and encodes: H.264, AAC and Opus, through Debian's libavcodec by a thin layer
// of our own (av.h). Pictures stay in C memory and are lent as planes; frames are counted
// references and their wrappers pooled, so that a frame costs no Go allocation.
//
// A Decoder, an encoder or a Resampler is used by one goroutine at a time, any goroutine; closing
// it counts as use. A Frame may be shared and released by any. What is not closed or released stays
// allocated: Live counts it.
//
// Streams come from strangers. What a parameter set asks for is checked against Limits before
// libav sees it, again where libav allocates, and on each frame; only 8 bit 4:2:0 is accepted.
// H.264 in 4:2:0 has even sizes only, the smallest 2x2; encoders refuse odd ones. Damage makes an
// error for a unit, or a frame that says Corrupt, and decoding goes on. libav does not notice that
// a reference is missing: after a loss of your own, wait for the next IDR.
//
// Without cgo everything is declared and every New function returns ErrUnavailable.
package av
