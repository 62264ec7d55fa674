package process

import (
	"time"

	"github.com/headwater-live/headwater/codec/media"
)

// Unit is one access unit of the source's video, as the pipeline wants it.
type Unit struct {
	media.AccessUnit
	// Header is the body of the sequence header that it was made under; nil if there was none.
	Header []byte
	// Gap says that units in front of it are missing: what follows refers to pictures that the
	// decoder has never seen, and it would not notice.
	Gap bool
}

// Report tells what a call of the pipeline did.
type Report struct {
	// Decoded counts pictures that the decoder gave, Encoded those that were put out, Masked those
	// of them that were made solid, Passed those that were left out on purpose: to be in time, or
	// for the rendition's frame rate.
	Decoded, Encoded, Masked, Passed uint32
	// Dropped counts units and pictures that were lost to a gap or a fault, Errors the decoder's
	// errors.
	Dropped, Errors uint32
	// Decode, Filter and Encode are the time that each stage took.
	Decode, Filter, Encode time.Duration
	// Decoding says that the decoder is in step with the source: it had an IDR picture, and nothing
	// was missing since.
	Decoding bool
	// Fault is why no picture comes; "" if nothing is wrong.
	Fault string
}

// maxFault bounds the text of a fault, which may quote what a stranger sent.
const maxFault = 400
