package e2e

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// viewer watches a broadcast and keeps what it receives.
type viewer struct {
	name  string
	conn  net.Conn
	ended chan struct{} // closed when the connection has ended
	err   error         // why, after ended

	mu    sync.Mutex
	units []unit
	loud  []unit   // the node's own onLoudness events, which stand beside what was published
	words []string // what the node said by RTMP besides media: status codes and descriptions
}

// httpError is an answer by HTTP that is no stream.
type httpError struct {
	status int
	text   string
}

// Error implements error.
func (e *httpError) Error() string { return fmt.Sprintf("HTTP status %d: %s", e.status, e.text) }

// watchRTMP watches by RTMP.
func watchRTMP(t *testing.T, n *node, key string) *viewer {
	t.Helper()
	return watchRTMPOn(t, n.dial(t, n.rtmp), key)
}

func watchRTMPOn(t *testing.T, conn net.Conn, key string) *viewer {
	t.Helper()
	return watch(t, conn, "rtmp viewer of "+key, func(v *viewer) error { return v.playRTMP(key) })
}

// watchFLV watches by HTTP-FLV.
func watchFLV(t *testing.T, n *node, key string) *viewer {
	t.Helper()
	return watchFLVOn(t, n.dial(t, n.http), key)
}

func watchFLVOn(t *testing.T, conn net.Conn, key string) *viewer {
	t.Helper()
	return watch(t, conn, "http-flv viewer of "+key, func(v *viewer) error { return v.playFLV(key) })
}

// watchBoth watches by either protocol.
func watchBoth(t *testing.T, n *node, key string) []*viewer {
	t.Helper()
	return []*viewer{watchRTMP(t, n, key), watchFLV(t, n, key)}
}

func watch(t *testing.T, conn net.Conn, name string, play func(*viewer) error) *viewer {
	t.Helper()
	v := &viewer{name: name, conn: conn, ended: make(chan struct{})}
	go func() {
		v.err = play(v)
		conn.Close()
		close(v.ended)
	}()
	return v
}

func (v *viewer) playRTMP(key string) error {
	client, err := negotiate(v.conn)
	if err != nil {
		return err
	}
	if err := client.Play(key); err != nil {
		return err
	}
	if err := v.conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	for {
		m, err := client.Next()
		if err != nil {
			return err
		}
		switch m.Type {
		case rtmp.TypeAudio:
			v.add(unit{media.Audio, int64(m.Timestamp), m.Body})
		case rtmp.TypeVideo:
			v.add(unit{media.Video, int64(m.Timestamp), m.Body})
		case rtmp.TypeData:
			v.add(unit{media.Data, int64(m.Timestamp), m.Body})
		case rtmp.TypeCommand:
			cmd, err := rtmp.ParseCommand(m.Body)
			if err != nil {
				return err
			}
			v.hear(cmd.Arg(1).Get("code").String + ": " + cmd.Arg(1).Get("description").String)
		}
	}
}

func (v *viewer) playFLV(key string) error {
	_, err := fmt.Fprintf(v.conn, "GET /live/%s HTTP/1.1\r\nHost: %s\r\n\r\n",
		flvPath(key), v.conn.RemoteAddr())
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(v.conn), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(response.Body)
		return errors.Join(&httpError{response.StatusCode, strings.TrimSpace(string(text))}, err)
	}
	reader := flv.NewReader(response.Body, 0)
	for {
		tag, err := reader.Next()
		if err != nil {
			return err
		}
		v.add(unitOf(tag))
	}
}

// flvPath is the name of a broadcast's file; a key may have a query behind it.
func flvPath(key string) string {
	name, query, _ := strings.Cut(key, "?")
	return name + ".flv?" + query
}

func (v *viewer) add(u unit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if u.kind == media.Data && bytes.HasPrefix(u.body, []byte("\x02\x00\x0aonLoudness")) {
		v.loud = append(v.loud, u)
		return
	}
	v.units = append(v.units, u)
}

// loudness is a number of the latest onLoudness event: an AMF0 number behind its name.
func (v *viewer) loudness(name string) (float64, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.loud) == 0 {
		return 0, false
	}
	_, rest, found := bytes.Cut(v.loud[len(v.loud)-1].body, []byte(name+"\x00"))
	if !found || len(rest) < 8 {
		return 0, false
	}
	return math.Float64frombits(binary.BigEndian.Uint64(rest)), true
}

func (v *viewer) hear(words string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.words = append(v.words, words)
}

// got is what has arrived by now.
func (v *viewer) got() []unit {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.units[:len(v.units):len(v.units)]
}

// heard tells whether the node has said something with that in it.
func (v *viewer) heard(what string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return strings.Contains(strings.Join(v.words, "\n"), what)
}

// awaitUnits waits until a viewer has that many units.
func (v *viewer) awaitUnits(t *testing.T, want int) {
	t.Helper()
	await(t, fmt.Sprintf("%s has %d units", v.name, want), func() bool {
		v.mustWatch(t)
		return len(v.got()) >= want
	})
}

// mustWatch fails the test if the viewer's connection has ended.
func (v *viewer) mustWatch(t *testing.T) {
	t.Helper()
	if over(v.ended) {
		t.Fatalf("%s was disconnected after %d units: %v", v.name, len(v.got()), v.err)
	}
}

// leave closes the viewer's connection.
func (v *viewer) leave(t *testing.T) {
	t.Helper()
	v.conn.Close()
	ends(t, v.name, v.ended)
}

// settle halts a publisher, waits until each viewer has the last unit that was sent, and holds all
// to the ledger.
func settle(t *testing.T, p *publisher, viewers ...*viewer) {
	t.Helper()
	p.halt()
	sent := p.ledger()
	end := sent[len(sent)-1]
	for _, v := range viewers {
		await(t, v.name+" has the last unit", func() bool {
			v.mustWatch(t)
			got := v.got()
			return len(got) > 0 && got[len(got)-1].same(end)
		})
		held := checkLedger(t, v.name, sent, v.got())
		t.Logf("%s: %d units identical", v.name, held)
	}
}
