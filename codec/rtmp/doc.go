// Package rtmp is the bytes of RTMP (Adobe, "RTMP Specification 1.0", 2012) and nothing else: no
// socket, clock or goroutine. It holds what stands between an untrusted peer and the rest of
// Headwater.
//
// Guard reads the peer's chunk stream with strict limits. While a connection is negotiated it is
// the io.Reader of a server library, which sees each message as one plain chunk; once a publish or
// play command is accepted the guard is detached and returns the peer's messages itself, their
// payload ready to be shared as FLV. AppendMessage and PutHeader write chunks. The AMF0 functions
// read and write commands and metadata within fixed bounds. Client is the other end: it publishes
// or plays over any io.ReadWriter.
//
// What a guard cannot do for a library is bound its message streams: set that limit there.
package rtmp
