package main

import (
	"encoding/binary"
	"fmt"

	"github.com/headwater-live/headwater/codec/rtmp"
)

// blockSize is the length in bytes of each half of the handshake (RTMP 5.2.3).
const blockSize = 1536

// Transactions of the viewer's commands.
const (
	transactionConnect = 1
	transactionCreate  = 2
)

// shake gathers S0, S1 and S2, answers them, and returns what follows.
func (v *viewer) shake(b []byte) ([]byte, error) {
	v.block = append(v.block, b...)
	if len(v.block) < 1+2*blockSize {
		return nil, nil
	}
	if v.block[0] != 3 {
		return nil, fmt.Errorf("the server speaks RTMP version %d, want 3", v.block[0])
	}
	url := rtmp.Str("rtmp://" + rtmpAddress + "/" + app)
	out := append([]byte(nil), v.block[1:1+blockSize]...)
	out = appendCommand(out, 0, rtmp.Command{
		Name: "connect", Transaction: transactionConnect, Args: []rtmp.Value{rtmp.Obj(
			rtmp.Pair{Key: "app", Value: rtmp.Str(app)},
			rtmp.Pair{Key: "flashVer", Value: rtmp.Str("LNX 9,0,124,2")},
			rtmp.Pair{Key: "tcUrl", Value: url},
			rtmp.Pair{Key: "fpad", Value: rtmp.Bool(false)},
			rtmp.Pair{Key: "capabilities", Value: rtmp.Num(15)},
			rtmp.Pair{Key: "audioCodecs", Value: rtmp.Num(4071)},
			rtmp.Pair{Key: "videoCodecs", Value: rtmp.Num(252)},
			rtmp.Pair{Key: "videoFunction", Value: rtmp.Num(1)},
		)},
	})
	rest := v.block[1+2*blockSize:]
	v.block, v.stage = nil, asking
	return rest, v.write(out)
}

func appendCommand(dst []byte, streamID uint32, c rtmp.Command) []byte {
	body := rtmp.AppendCommand(nil, c)
	return rtmp.AppendMessage(dst, rtmp.ChunkCommand, rtmp.TypeCommand, 0, streamID, body,
		rtmp.DefaultChunkSize)
}

// command handles the server's answers.
func (v *viewer) command(m message, w *watch) error {
	if v.stage != asking || m.length > len(m.head) {
		return nil
	}
	c, err := rtmp.ParseCommand(m.head)
	if err != nil {
		return err
	}
	switch {
	case c.Name == "_result" && c.Transaction == transactionConnect:
		return v.write(appendCommand(nil, 0, rtmp.Command{
			Name: "createStream", Transaction: transactionCreate, Args: []rtmp.Value{{}},
		}))
	case c.Name == "_result" && c.Transaction == transactionCreate:
		return v.play(uint32(c.Arg(1).Number))
	case c.Name == "onStatus" && c.Arg(1).Get("level").String != "error":
		if c.Arg(1).Get("code").String == "NetStream.Play.Start" {
			w.accepted(v)
		}
		return nil
	case c.Name == "onStatus" || c.Name == "_error":
		return fmt.Errorf("%s: %s", c.Name, c.Arg(1).Get("code").String)
	}
	return nil
}

func (v *viewer) play(streamID uint32) error {
	out := appendCommand(nil, streamID, rtmp.Command{
		Name: "play", Transaction: transactionCreate + 1,
		Args: []rtmp.Value{{}, rtmp.Str(broadcastKey(v.broadcast)), rtmp.Num(-1000)},
	})
	body := binary.BigEndian.AppendUint16(nil, rtmp.EventSetBufferLength)
	body = binary.BigEndian.AppendUint32(body, streamID)
	body = binary.BigEndian.AppendUint32(body, 100)
	return v.write(rtmp.AppendMessage(out, rtmp.ChunkControl, rtmp.TypeUserControl, 0, 0, body,
		rtmp.DefaultChunkSize))
}

// control answers pings and learns the window of acknowledgements.
func (v *viewer) control(m message) error {
	if m.typ == rtmp.TypeWindowAckSize {
		if len(m.head) >= 4 {
			v.window = binary.BigEndian.Uint32(m.head)
		}
		return nil
	}
	if len(m.head) < 6 || binary.BigEndian.Uint16(m.head) != rtmp.EventPingRequest {
		return nil
	}
	return v.write(rtmp.AppendUserControl(nil, rtmp.EventPingResponse,
		binary.BigEndian.Uint32(m.head[2:])))
}
