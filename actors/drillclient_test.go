package actors

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// The synthetic stream: so many pictures a GOP, an audio frame beside each, each interval.
const (
	drillGOP      = 5
	drillInterval = 100 * time.Millisecond
	unitsOfGOP    = 2 * drillGOP
	drillTimeout  = 20 * time.Second
)

// drillBroadcast is a publisher, who comes back when he is lost, and what his viewers get.
type drillBroadcast struct {
	name     string
	rtmp     string
	http     string
	sessions atomic.Int64
	sent     atomic.Uint64 // units, by all sessions
	viewers  []*drillViewer
}

// drillHeaders are an AVC and an AAC sequence header.
func drillHeaders() (video, audio []byte) {
	video = []byte{0x17, 0, 0, 0, 0, 1, 0x42, 0, 0x1e, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0, 0x1e, 1, 0, 2}
	return append(video, 0x68, 0xce), []byte{0xaf, 0, 0x12, 0x10}
}

// drillBody is the nth unit: it can be made again by who gets it.
func drillBody(n uint64) (typ uint8, body []byte) {
	if n%2 == 1 {
		body = append([]byte{0xaf, 1}, make([]byte, 8+40)...)
		binary.BigEndian.PutUint64(body[2:], n)
		return rtmp.TypeAudio, body
	}
	first, nal := byte(0x27), byte(0x41)
	if n/2%drillGOP == 0 {
		first, nal = 0x17, 0x65
	}
	size := 1 + 8 + 200 + int(n%100)
	body = append([]byte{first, 1, 0, 0, 0}, make([]byte, 4+size)...)
	binary.BigEndian.PutUint32(body[5:], uint32(size))
	body[9] = nal
	binary.BigEndian.PutUint64(body[10:], n)
	for i := 18; i < len(body); i++ {
		body[i] = byte(uint64(i) * n)
	}
	return rtmp.TypeVideo, body
}

func drillNumber(kind media.Kind, body []byte) uint64 {
	at := 10
	if kind == media.Audio {
		at = 2
	}
	if len(body) < at+8 {
		return 0
	}
	return binary.BigEndian.Uint64(body[at:])
}

// publish publishes until ctx is done, on one connection after the other.
func (b *drillBroadcast) publish(ctx context.Context) {
	for ctx.Err() == nil {
		_ = b.session(ctx) // it is made again, whatever it ended of
	}
}

func (b *drillBroadcast) session(ctx context.Context) error {
	conn, client, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	unhook := context.AfterFunc(ctx, func() { conn.Close() })
	defer unhook()
	if err := client.Publish(b.name); err != nil {
		return err
	}
	b.sessions.Add(1)
	lost := make(chan error, 1)
	go func() {
		for {
			if _, err := client.Next(); err != nil {
				lost <- err
				return
			}
		}
	}()
	err = b.stream(client, lost)
	conn.Close()
	<-lost // the reader has ended
	return err
}

func (b *drillBroadcast) dial(ctx context.Context) (net.Conn, *rtmp.Client, error) {
	conn, err := (&net.Dialer{Timeout: drillTimeout}).DialContext(ctx, "tcp", b.rtmp)
	if err != nil {
		return nil, nil, err
	}
	client := rtmp.NewClient(conn)
	if err = client.Handshake(); err == nil {
		err = client.Connect("live", "rtmp://"+b.rtmp+"/live")
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, client, nil
}

// stream sends headers, then from the next keyframe on two units each interval. It puts back what
// made it notice that the connection is lost.
func (b *drillBroadcast) stream(client *rtmp.Client, lost chan error) error {
	video, audio := drillHeaders()
	if err := client.WriteMessage(rtmp.TypeVideo, 0, video); err != nil {
		return err
	}
	if err := client.WriteMessage(rtmp.TypeAudio, 0, audio); err != nil {
		return err
	}
	n := (b.sent.Load() + unitsOfGOP - 1) / unitsOfGOP * unitsOfGOP
	ticker := time.NewTicker(drillInterval)
	defer ticker.Stop()
	for at := time.Duration(0); ; at += drillInterval {
		for range 2 {
			typ, body := drillBody(n)
			ts := uint32(at.Milliseconds())
			if err := client.WriteMessage(typ, ts, body); err != nil {
				return err
			}
			n++
			b.sent.Store(n)
		}
		select {
		case <-ticker.C:
		case err := <-lost:
			lost <- err
			return err
		}
	}
}

// drillViewer watches a broadcast, and comes back when he is let go.
type drillViewer struct {
	of       *drillBroadcast
	protocol string

	mu       sync.Mutex
	sessions int
	units    int
	gaps     []string
	worst    uint64 // units left out at one place
	bad      []string
	last     uint64
	began    bool // this session has had a unit
	latest   time.Time
}

func (v *drillViewer) watch(ctx context.Context) {
	for ctx.Err() == nil {
		v.mu.Lock()
		v.sessions++
		v.began = false
		v.mu.Unlock()
		if v.protocol == "rtmp" {
			_ = v.play(ctx)
		} else {
			_ = v.get(ctx)
		}
	}
}

// play watches by RTMP.
func (v *drillViewer) play(ctx context.Context) error {
	conn, client, err := v.of.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	unhook := context.AfterFunc(ctx, func() { conn.Close() })
	defer unhook()
	if err := client.Play(v.of.name); err != nil {
		return err
	}
	for {
		msg, err := client.Next()
		if err != nil {
			return err
		}
		switch msg.Type {
		case rtmp.TypeVideo:
			v.unit(media.Video, msg.Body)
		case rtmp.TypeAudio:
			v.unit(media.Audio, msg.Body)
		}
	}
}

// get watches by HTTP.
func (v *drillViewer) get(ctx context.Context) error {
	url := "http://" + v.of.http + "/live/" + v.of.name + ".flv"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", response.Status, io.ErrUnexpectedEOF)
	}
	r := flv.NewReader(bufio.NewReader(response.Body), 0)
	for {
		tag, err := r.Next()
		if err != nil {
			return err
		}
		v.unit(tag.Kind, tag.Body)
	}
}

// unit takes a unit down in the ledger.
func (v *drillViewer) unit(kind media.Kind, body []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if kind == media.Data || len(body) < 2 || body[1] == 0 { // a sequence header
		return
	}
	n := drillNumber(kind, body)
	if _, want := drillBody(n); string(want) != string(body) {
		v.bad = append(v.bad, fmt.Sprintf("unit %d is not what was published", n))
	}
	if v.began {
		v.place(n)
	}
	v.began, v.last, v.latest = true, n, time.Now()
	v.units++
}

// place notes what is left out within a session. A publisher who comes back begins with a GOP: what
// he leaves out by that was never published.
func (v *drillViewer) place(n uint64) {
	switch {
	case n <= v.last:
		v.bad = append(v.bad, fmt.Sprintf("unit %d after %d", n, v.last))
	case n > v.last+1:
		v.gaps = append(v.gaps, fmt.Sprintf("%d to %d", v.last, n))
		v.worst = max(v.worst, n-v.last-1)
		if n%unitsOfGOP != 0 && n%2 == 0 {
			v.bad = append(v.bad, fmt.Sprintf("picture %d after %d is no keyframe", n, v.last))
		}
	}
}

// state returns how the viewer fares.
func (v *drillViewer) state() (sessions, units, gaps int, last uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sessions, v.units, len(v.gaps), v.last
}
