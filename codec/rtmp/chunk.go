package rtmp

import "encoding/binary"

// MaxHeader is the length in bytes of the longest header that PutHeader writes.
const MaxHeader = 2 + 11 + 4

// PutHeader writes the format 0 header (RTMP 5.3.1) of a message that travels as one chunk and
// returns its length; the body follows it unchanged. The peer must have been told a chunk size of
// at least bodyLen. csid is 2 to 255, ts in milliseconds, bodyLen at most MaxBody.
func PutHeader(dst *[MaxHeader]byte, csid, typ uint8, ts, streamID uint32, bodyLen int) int {
	n := 1
	if csid < 64 {
		dst[0] = csid
	} else {
		dst[0], dst[1] = 0, csid-64
		n = 2
	}
	put24(dst[n:], min(ts, extended))
	put24(dst[n+3:], uint32(bodyLen))
	dst[n+6] = typ
	binary.LittleEndian.PutUint32(dst[n+7:], streamID)
	n += 11
	if ts >= extended {
		binary.BigEndian.PutUint32(dst[n:], ts)
		n += 4
	}
	return n
}

// AppendMessage appends a message in chunks of chunkSize, the size that the peer was last told: the
// first of format 0, the others of format 3 and with the extended timestamp again where there is
// one (RTMP 5.3.1.3). Arguments as for PutHeader; a chunkSize below 1 is DefaultChunkSize.
func AppendMessage(
	dst []byte, csid, typ uint8, ts, streamID uint32, body []byte, chunkSize int,
) []byte {
	if chunkSize < 1 {
		chunkSize = DefaultChunkSize
	}
	var h [MaxHeader]byte
	dst = append(dst, h[:PutHeader(&h, csid, typ, ts, streamID, len(body))]...)
	for len(body) > chunkSize {
		dst = append(dst, body[:chunkSize]...)
		body = body[chunkSize:]
		dst = appendContinuation(dst, csid, ts)
	}
	return append(dst, body...)
}

// appendContinuation appends the header of a format 3 chunk.
func appendContinuation(dst []byte, csid uint8, ts uint32) []byte {
	if csid < 64 {
		dst = append(dst, 3<<6|csid)
	} else {
		dst = append(dst, 3<<6, csid-64)
	}
	if ts >= extended {
		dst = binary.BigEndian.AppendUint32(dst, ts)
	}
	return dst
}

// AppendSetChunkSize appends the message that announces the size in bytes of the chunks to come, 1
// to MaxChunkSize (RTMP 5.4.1).
func AppendSetChunkSize(dst []byte, size uint32) []byte {
	return appendControl(dst, TypeSetChunkSize, size)
}

// AppendAck appends an acknowledgement (RTMP 5.4.3); see Guard.AckDue.
func AppendAck(dst []byte, sequence uint32) []byte {
	return appendControl(dst, TypeAck, sequence)
}

// AppendWindowAckSize appends the window in bytes within which the peer is to acknowledge (RTMP
// 5.4.4).
func AppendWindowAckSize(dst []byte, window uint32) []byte {
	return appendControl(dst, TypeWindowAckSize, window)
}

// AppendUserControl appends a user control event with one value: a stream id for EventStreamBegin
// and EventStreamEOF, the peer's own value for EventPingResponse (RTMP 7.1.7).
func AppendUserControl(dst []byte, event uint16, value uint32) []byte {
	var body [6]byte
	binary.BigEndian.PutUint16(body[:], event)
	binary.BigEndian.PutUint32(body[2:], value)
	return AppendMessage(dst, ChunkControl, TypeUserControl, 0, 0, body[:], DefaultChunkSize)
}

// AppendStatus appends an onStatus command on a message stream (RTMP 7.2.2), in chunks of
// chunkSize. level is "status", "warning" or "error".
func AppendStatus(
	dst []byte, streamID uint32, level, code, description string, chunkSize int,
) []byte {
	body := AppendCommand(nil, Command{Name: "onStatus", Args: []Value{{}, Obj(
		Pair{"level", Str(level)}, Pair{"code", Str(code)}, Pair{"description", Str(description)},
	)}})
	return AppendMessage(dst, ChunkCommand, TypeCommand, 0, streamID, body, chunkSize)
}

// AppendReconnect appends the request to connect again elsewhere, as enhanced RTMP v2 has it. tcURL
// is that of the application there. Who does not know it is to pass it over.
func AppendReconnect(dst []byte, tcURL, description string, chunkSize int) []byte {
	body := AppendCommand(nil, Command{Name: "onStatus", Args: []Value{{}, Obj(
		Pair{"level", Str("status")}, Pair{"code", Str(ReconnectRequest)},
		Pair{"description", Str(description)}, Pair{"tcUrl", Str(tcURL)},
	)}})
	return AppendMessage(dst, ChunkCommand, TypeCommand, 0, 0, body, chunkSize)
}

// ReconnectRequest is the code of an onStatus that asks a client to connect again.
const ReconnectRequest = "NetConnection.Connect.ReconnectRequest"

// appendControl appends a protocol control message of one value.
func appendControl(dst []byte, typ uint8, value uint32) []byte {
	var body [4]byte
	binary.BigEndian.PutUint32(body[:], value)
	return AppendMessage(dst, ChunkControl, typ, 0, 0, body[:], DefaultChunkSize)
}

func put24(b []byte, v uint32) { b[0], b[1], b[2] = byte(v>>16), byte(v>>8), byte(v) }
