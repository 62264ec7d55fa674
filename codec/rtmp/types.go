package rtmp

import "errors"

// Message types (RTMP 5.4, 6.2, 7.1).
const (
	TypeSetChunkSize  uint8 = 1
	TypeAbort         uint8 = 2
	TypeAck           uint8 = 3
	TypeUserControl   uint8 = 4
	TypeWindowAckSize uint8 = 5
	TypeSetPeerBW     uint8 = 6
	TypeAudio         uint8 = 8
	TypeVideo         uint8 = 9
	TypeDataAMF3      uint8 = 15
	TypeCommandAMF3   uint8 = 17
	TypeData          uint8 = 18
	TypeCommand       uint8 = 20
	TypeAggregate     uint8 = 22
)

// Chunk stream ids. The specification fixes only ChunkControl (RTMP 5.4); the others are the ids
// that Headwater writes on, one for each kind so that no kind's header state disturbs another's.
const (
	ChunkControl uint8 = 2
	ChunkCommand uint8 = 3
	ChunkAudio   uint8 = 4
	ChunkData    uint8 = 5
	ChunkVideo   uint8 = 6
)

// User control events (RTMP 7.1.7).
const (
	EventStreamBegin     uint16 = 0
	EventStreamEOF       uint16 = 1
	EventSetBufferLength uint16 = 3
	EventPingRequest     uint16 = 6
	EventPingResponse    uint16 = 7
)

// Chunk sizes in bytes (RTMP 5.4.1).
const (
	DefaultChunkSize = 128
	// ServerChunkSize is what Headwater's servers write with from the first answer on: an answer
	// travels in one chunk.
	ServerChunkSize = 4096
	MaxChunkSize    = 0xffffff
)

// MaxBody is the greatest length of a message body in bytes: the field has 24 bits.
const MaxBody = 0xffffff

// extended is the timestamp from which on the four byte field is used (RTMP 5.3.1.3).
const extended = 0xffffff

// Errors of a peer that cannot be served on. Each is wrapped with where it happened and the
// numbers that disagree; all but those of the io.Reader itself are final for the connection.
var (
	// ErrLimit means that the peer asked for more than Limits allow.
	ErrLimit = errors.New("rtmp: over the limit")
	// ErrVersion means that the handshake did not begin with version 3.
	ErrVersion = errors.New("rtmp: unknown version")
	// ErrChunk means that the chunk stream cannot be followed any further.
	ErrChunk = errors.New("rtmp: bad chunk")
	// ErrEarly means that media arrived before a publish command was accepted.
	ErrEarly = errors.New("rtmp: media before publish")
	// ErrAMF means that bytes are not AMF0, or nest or count beyond AMFDepth and AMFValues.
	ErrAMF = errors.New("rtmp: bad amf0")
	// ErrReply means that a server answered the client with something it must not.
	ErrReply = errors.New("rtmp: unexpected reply")
)

// Message is one complete message of the peer.
type Message struct {
	// Type is one of TypeAudio, TypeVideo, TypeData, TypeCommand and TypeUserControl. AMF3 data
	// and commands are returned as their AMF0 kin.
	Type uint8
	// Timestamp is in milliseconds and wraps at 2^32.
	Timestamp uint32
	// StreamID is the message stream, 0 for the connection itself.
	StreamID uint32
	// Body is the payload, never empty. For audio, video and data it belongs to the caller and is
	// an FLV tag body. For commands and user control it is valid until the next call only.
	Body []byte
	// Tail is Body and the four bytes of its PreviousTagSize, 11+len(Body), in the same memory, so
	// that an FLV tag is its header and Tail. It is nil for commands and user control.
	Tail []byte
}

// Limits bound what one peer can make a Guard hold or do. No field has a meaning below zero.
type Limits struct {
	// MaxChunkStreams is the number of chunk stream ids a peer may use.
	MaxChunkStreams int
	// MaxCommand is the length in bytes of a command, data or control message.
	MaxCommand int
	// MaxMedia is the length in bytes of an audio, video or aggregate message. Zero refuses media.
	MaxMedia int
	// MaxHeld is the memory in bytes of all partly received messages together.
	MaxHeld int
	// PreAuthBytes is the number of bytes, handshake included, that a peer may send before Detach.
	PreAuthBytes int
}

// DefaultLimits are the limits of a publisher: 32 chunk streams, 64 KiB commands, 8 MiB media
// messages, 16 MiB held in all, 128 KiB before Detach.
func DefaultLimits() Limits {
	return Limits{
		MaxChunkStreams: 32,
		MaxCommand:      64 << 10,
		MaxMedia:        8 << 20,
		MaxHeld:         16 << 20,
		PreAuthBytes:    128 << 10,
	}
}

// ViewerLimits are the limits of a peer that only plays: 8 chunk streams, 4 KiB commands, 8 KiB
// held in all, no media.
func ViewerLimits() Limits {
	return Limits{
		MaxChunkStreams: 8,
		MaxCommand:      4 << 10,
		MaxHeld:         8 << 10,
		PreAuthBytes:    128 << 10,
	}
}
