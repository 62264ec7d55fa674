package rtmp

import "encoding/binary"

// Pong returns the whole answer to a ping request of the peer, nil if the message is none.
func Pong(m Message) []byte {
	if m.Type != TypeUserControl || len(m.Body) < 6 ||
		binary.BigEndian.Uint16(m.Body) != EventPingRequest {
		return nil
	}
	return AppendUserControl(nil, EventPingResponse, binary.BigEndian.Uint32(m.Body[2:]))
}
