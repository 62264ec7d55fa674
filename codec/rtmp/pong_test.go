package rtmp

import (
	"bytes"
	"testing"
)

func TestPong(t *testing.T) {
	ping := Message{Type: TypeUserControl, Body: []byte{0, 6, 0, 0, 0x12, 0x34}}
	if got := Pong(ping); !bytes.Equal(got, AppendUserControl(nil, EventPingResponse, 0x1234)) {
		t.Errorf("%x", got)
	}
	for _, m := range []Message{
		{Type: TypeUserControl, Body: []byte{0, 1, 0, 0, 0, 1}},
		{Type: TypeUserControl, Body: []byte{0, 6}},
		{Type: TypeAudio, Body: ping.Body},
	} {
		if got := Pong(m); got != nil {
			t.Errorf("%+v: %x, want none", m, got)
		}
	}
}
