package ingest

import (
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// Packet is a message of the publisher. Its reader waits while too many are on their way, so that a
// publisher who is faster than the node feels it in his own socket.
type Packet struct {
	Message rtmp.Message
	// Arrival is when it arrived, on a clock that begins with the connection.
	Arrival media.Time
	// Arrived is the same moment in Unix nanoseconds.
	Arrived int64
}

// Move asks the publisher to connect to another node, and closes his connection a while later.
type Move struct {
	// To returns where a key is to be published, as a URL; "" is nowhere else, and he stays.
	To func(key string) string
	// Reason is told to him.
	Reason string
}

// Lost tells that the publisher's connection is over.
type Lost struct {
	Reason string
	// Unpublished says that the publisher ended the stream himself.
	Unpublished bool
}
