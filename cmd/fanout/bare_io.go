package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

const bareChunk = 8 << 20

var errRole = errors.New("neither publishes nor plays")

// serveRTMP speaks with one RTMP client. A viewer goes on on a goroutine of its own, whose stack
// has not grown with the negotiation.
func (b *bare) serveRTMP(conn *net.TCPConn) error {
	g := rtmp.NewGuard(conn, rtmp.DefaultLimits())
	block := make([]byte, 2*1536+1)
	if _, err := io.ReadFull(g, block[:1537]); err != nil {
		return err
	}
	copy(block[1537:], block[1:1537])
	if _, err := conn.Write(block); err != nil {
		return err
	}
	if _, err := io.ReadFull(g, block[:1536]); err != nil {
		return err
	}
	g.Detach()
	for {
		m, err := g.Next()
		if err != nil {
			return err
		}
		if m.Type != rtmp.TypeCommand {
			continue
		}
		c, err := rtmp.ParseCommand(m.Body)
		if err != nil {
			return err
		}
		if _, err := conn.Write(bareReply(c)); err != nil {
			return err
		}
		switch c.Name {
		case "publish":
			return b.stream(c.Arg(1).String).ingest(g)
		case "play":
			return b.play(conn, c.Arg(1).String)
		}
	}
}

// bareReply answers a command with as little as clients need.
func bareReply(c rtmp.Command) []byte {
	switch c.Name {
	case "connect":
		out := rtmp.AppendWindowAckSize(nil, 5_000_000)
		out = rtmp.AppendSetChunkSize(out, bareChunk)
		return bareResult(out, c, rtmp.Obj(
			rtmp.Pair{Key: "code", Value: rtmp.Str("NetConnection.Connect.Success")}))
	case "createStream":
		return bareResult(nil, c, rtmp.Num(1))
	case "publish":
		return rtmp.AppendStatus(nil, 1, "status", "NetStream.Publish.Start", "", bareChunk)
	case "play":
		return rtmp.AppendStatus(nil, 1, "status", "NetStream.Play.Start", "", bareChunk)
	}
	return nil
}

func bareResult(dst []byte, c rtmp.Command, v rtmp.Value) []byte {
	body := rtmp.AppendCommand(nil, rtmp.Command{
		Name: "_result", Transaction: c.Transaction, Args: []rtmp.Value{{}, v},
	})
	return rtmp.AppendMessage(dst, rtmp.ChunkCommand, rtmp.TypeCommand, 0, 0, body, bareChunk)
}

func (b *bare) play(conn *net.TCPConn, key string) error {
	first, from := b.stream(key).join(bareRTMP)
	if _, err := conn.Write(first); err != nil {
		return err
	}
	return b.start(conn, bareRTMP, from)
}

func (b *bare) start(conn *net.TCPConn, form int, from *packet) error {
	b.group.Go("viewer", func(context.Context) {
		_ = b.view(conn, form, from) // the viewer left
		conn.Close()
	})
	return nil
}

// ingest reads a publisher until it leaves.
func (s *bareStream) ingest(g *rtmp.Guard) error {
	for {
		m, err := g.Next()
		if err != nil {
			return err
		}
		var kind media.Kind
		switch m.Type {
		case rtmp.TypeAudio:
			kind = media.Audio
		case rtmp.TypeVideo:
			kind = media.Video
		case rtmp.TypeData:
			kind = media.Data
		default:
			continue
		}
		info, err := flv.Parse(kind, m.Body)
		if err != nil {
			return err
		}
		p := newPacket(bareForms(kind, m))
		if info.Role == media.SequenceHeader {
			s.mu.Lock()
			s.headers[kind] = p
			s.mu.Unlock()
		}
		s.add(p, kind == media.Video && info.Role == media.Keyframe)
	}
}

// bareForms serialises a message once for everyone.
func bareForms(kind media.Kind, m rtmp.Message) (chunk, tag []byte) {
	csid := map[media.Kind]uint8{
		media.Audio: rtmp.ChunkAudio, media.Video: rtmp.ChunkVideo, media.Data: rtmp.ChunkData,
	}[kind]
	chunk = rtmp.AppendMessage(nil, csid, m.Type, m.Timestamp, 1, m.Body, bareChunk)
	tag = flv.AppendTag(nil, kind, media.FromMillis(int64(m.Timestamp)), m.Body)
	return chunk, tag
}

// serveHTTP answers one request with an endless response.
func (b *bare) serveHTTP(conn *net.TCPConn) error {
	head := make([]byte, 0, 1024)
	for !bytes.Contains(head, []byte("\r\n\r\n")) {
		if len(head) == cap(head) {
			return fmt.Errorf("no end of the HTTP head in %d bytes", len(head))
		}
		n, err := conn.Read(head[len(head):cap(head)])
		if err != nil {
			return err
		}
		head = head[:len(head)+n]
	}
	fields := strings.Fields(string(head))
	key, ok := strings.CutPrefix(fields[1], "/"+app+"/")
	if !ok {
		return errRole
	}
	first, from := b.stream(strings.TrimSuffix(key, ".flv")).join(bareFLV)
	file := flv.FileHeader(true, true)
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n"+
		"Connection: close\r\n\r\n"), file[:]...)
	if _, err := conn.Write(append(answer, first...)); err != nil {
		return err
	}
	return b.start(conn, bareFLV, from)
}
