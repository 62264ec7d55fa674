package e2e

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// publisher publishes by our own client and keeps account of what it sends.
type publisher struct {
	conn   net.Conn
	client *rtmp.Client
	halted chan struct{} // closed to stop feeding
	fed    chan struct{} // closed when feeding has stopped
	ended  chan struct{} // closed when the connection has ended
	err    error         // why, after ended
	moved  chan string   // gets where to go, if the node says so: an application's URL

	mu   sync.Mutex
	sent []unit
}

// publish begins to publish a key.
func publish(t *testing.T, n *node, key string) *publisher {
	t.Helper()
	p, err := publishOn(t, n.dial(t, n.rtmp), key)
	if err != nil {
		t.Fatalf("publish %s: %v", key, err)
	}
	return p
}

// dial connects. The connection does not outlive the test.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// dial connects to an address of the node from where it runs. The connection does not outlive the
// test.
func (n *node) dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := n.dialSelf(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// negotiate makes a client that may publish or play.
func negotiate(conn net.Conn) (*rtmp.Client, error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	client := rtmp.NewClient(conn)
	if err := client.Handshake(); err != nil {
		return nil, err
	}
	return client, client.Connect("live", "rtmp://"+conn.RemoteAddr().String()+"/live")
}

// publishOn begins to publish on a connection.
func publishOn(t *testing.T, conn net.Conn, key string) (*publisher, error) {
	t.Helper()
	client, err := negotiate(conn)
	if err != nil {
		return nil, err
	}
	if err := client.Publish(key); err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	p := &publisher{
		conn: conn, client: client, halted: make(chan struct{}), fed: make(chan struct{}),
		ended: make(chan struct{}), moved: make(chan string, 1),
	}
	go func() {
		for p.err == nil {
			var m rtmp.Message
			if m, p.err = client.Next(); p.err == nil {
				p.hear(m)
			}
		}
		close(p.ended)
	}()
	return p, nil
}

// hear notes where a node wants the publisher to go.
func (p *publisher) hear(m rtmp.Message) {
	cmd, err := rtmp.ParseCommand(m.Body)
	if m.Type != rtmp.TypeCommand || err != nil {
		return
	}
	if info := cmd.Arg(1); info.Get("code").String == rtmp.ReconnectRequest {
		p.moved <- info.Get("tcUrl").String
	}
}

// send sends one unit at the time that it has.
func (p *publisher) send(u unit) error {
	p.mu.Lock()
	p.sent = append(p.sent, u)
	p.mu.Unlock()
	typ, body := rtmp.TypeAudio, u.body
	switch {
	case u.kind == media.Video:
		typ = rtmp.TypeVideo
	case u.kind == media.Data:
		typ = rtmp.TypeData
		body = append(rtmp.AppendString(nil, "@setDataFrame"), body...)
	}
	return p.client.WriteMessage(typ, uint32(u.ms), body)
}

// sendAll sends units as fast as they go.
func (p *publisher) sendAll(t *testing.T, units []unit) {
	t.Helper()
	for _, u := range units {
		if err := p.send(u); err != nil {
			t.Fatal(err)
		}
	}
}

// feed sends units in real time, until they are all sent or the test halts it.
func (p *publisher) feed(t *testing.T, units []unit) {
	t.Helper()
	t.Cleanup(p.halt)
	go func() {
		defer close(p.fed)
		began := time.Now()
		timer := time.NewTimer(0)
		defer timer.Stop()
		for _, u := range units {
			timer.Reset(time.Until(began.Add(time.Duration(u.ms-units[0].ms) * time.Millisecond)))
			select {
			case <-timer.C:
			case <-p.halted:
				return
			}
			if p.send(u) != nil {
				return
			}
		}
	}()
}

// halt stops feeding, the connection stays. It returns when the last unit is sent.
func (p *publisher) halt() {
	if !over(p.halted) {
		close(p.halted)
	}
	<-p.fed
}

// ledger is what was sent by now.
func (p *publisher) ledger() []unit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[:len(p.sent):len(p.sent)]
}
