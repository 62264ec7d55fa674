package edge

import (
	"net/http"
	"strconv"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// Protocol is how a viewer is served.
type Protocol uint8

// The protocols.
const (
	// RTMP is RTMP play, after Play.Start.
	RTMP Protocol = iota
	// HTTPFLV is an endless FLV file as the body of an HTTP response.
	HTTPFLV
	protocols
)

// String returns the word that labels metrics.
func (p Protocol) String() string { return [...]string{"rtmp", "http_flv"}[p] }

// chunkSize is what RTMP viewers are told: every message is one chunk, so that its body is shared.
const chunkSize = rtmp.MaxChunkSize

// streamID is the message stream that viewers play on.
const streamID = 1

// prologue is what a viewer gets before the first unit.
func (p Protocol) prologue() []byte {
	if p == RTMP {
		out := rtmp.AppendSetChunkSize(nil, chunkSize)
		return rtmp.AppendUserControl(out, rtmp.EventStreamBegin, streamID)
	}
	out := []byte("HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nCache-Control: no-store\r\n" +
		"Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n")
	header := flv.FileHeader(true, true)
	return append(out, header[:]...)
}

// epilogue is what a viewer gets last; began tells whether he got the prologue.
func (p Protocol) epilogue(why Reason, began bool) []byte {
	if p == HTTPFLV {
		if began {
			return nil
		}
		if why == NotFound {
			return Refusal(http.StatusNotFound, why.Text())
		}
		return Refusal(http.StatusServiceUnavailable, why.Text())
	}
	code, level := "NetStream.Play.Stop", "status"
	if why == NotFound {
		code, level = "NetStream.Play.StreamNotFound", "error"
	}
	var out []byte
	size := rtmp.ServerChunkSize
	if began {
		size = chunkSize
		out = rtmp.AppendUserControl(out, rtmp.EventStreamEOF, streamID)
	}
	return rtmp.AppendStatus(out, streamID, level, code, why.Text(), size)
}

// Refusal is the HTTP response to a viewer who gets no stream, after his connection was taken over.
func Refusal(status int, text string) []byte {
	text += "\n"
	return []byte("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n" +
		"Access-Control-Allow-Origin: *\r\nConnection: close\r\n" +
		"Content-Length: " + strconv.Itoa(len(text)) + "\r\n\r\n" + text)
}
