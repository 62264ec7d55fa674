package membership

import (
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// changes are what a session told.
type changes struct {
	mu  sync.Mutex
	all []bool
}

func (c *changes) told(held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, held)
}

func (c *changes) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

// TestSessionOutlivesEtcd stops etcd for longer than a lease lasts.
func TestSessionOutlivesEtcd(t *testing.T) {
	s := newScene(t)
	s.start()
	c, told := s.client(), &changes{}
	session := NewSession(SessionOptions{Client: c, Changed: told.told, Log: quiet()})
	session.Register("/a", []byte("1"))
	session.Run(s.group())
	eventually(t, "held", 3*time.Second, func() bool { return session.Lease() != 0 })
	first := session.Lease()
	eventually(t, "registered", 3*time.Second, func() bool { return s.value(c, "/a") == "1" })

	stopped := time.Now()
	s.stop()
	eventually(t, "lost", 2*TTL, func() bool { return session.Lease() == 0 })
	if took := time.Since(stopped); took > TTL+7*time.Second {
		t.Errorf("lost after %v", took)
	}
	session.Register("/a", []byte("2"))
	session.Register("/b", []byte("3"))
	<-time.After(time.Second)
	s.start()
	started := time.Now()
	eventually(t, "held again", 5*time.Second, func() bool { return session.Lease() != 0 })
	t.Logf("held again %v after etcd was back", time.Since(started))
	if session.Lease() == first {
		t.Error("it is the old lease")
	}
	eventually(t, "registered anew", 3*time.Second, func() bool {
		return s.value(c, "/a") == "2" && s.value(c, "/b") == "3"
	})
	if told.count() != 3 {
		t.Errorf("told %v", told.all)
	}
	session.Unregister("/b")
	eventually(t, "unregistered", 3*time.Second, func() bool { return s.value(c, "/b") == "" })
	if err := session.Revoke(t.Context()); err != nil || s.value(c, "/a") != "" {
		t.Errorf("%v; %q is left", err, s.value(c, "/a"))
	}
}

// TestSessionIsRevoked has etcd end a lease that the session believes in.
func TestSessionIsRevoked(t *testing.T) {
	s := newScene(t)
	s.start()
	c := s.client()
	session := NewSession(SessionOptions{Client: c, Changed: func(bool) {}, Log: quiet()})
	session.Register("/a", []byte("1"))
	session.Run(s.group())
	eventually(t, "registered", 3*time.Second, func() bool { return s.value(c, "/a") == "1" })
	id := session.Lease()
	if _, err := c.etcd.Revoke(t.Context(), clientv3.LeaseID(id)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another lease", 3*time.Second, func() bool {
		now := session.Lease()
		return now != 0 && now != id && s.value(c, "/a") == "1"
	})
}

func TestMirrorFollowsAndReadsAgain(t *testing.T) {
	s := newScene(t)
	s.start()
	c := s.client()
	put := func(key, value string) {
		t.Helper()
		eventually(t, "put", 10*time.Second, func() bool {
			_, err := c.Txn(t.Context(), Write, nil, []clientv3.Op{clientv3.OpPut(key, value)}, nil)
			return err == nil
		})
	}
	put("/p/a", "1")
	put("/p/b", "1")
	put("/other", "1")
	seen := map[string]string{}
	mirror := NewMirror(MirrorOptions{Client: c, Prefix: "/p/", Changed: func() {}, Log: quiet()})
	mirror.Run(s.group())
	look := func() bool {
		all, synced := mirror.Take()
		for _, change := range all {
			if change.Deleted {
				delete(seen, change.Key)
			} else {
				seen[change.Key] = string(change.Value)
			}
		}
		return synced
	}
	is := func(what string, want map[string]string) {
		t.Helper()
		eventually(t, what, 15*time.Second, func() bool {
			synced := look()
			for k, v := range want {
				if seen[k] != v {
					return false
				}
			}
			return synced && len(seen) == len(want)
		})
	}
	is("everything", map[string]string{"a": "1", "b": "1"})
	put("/p/a", "2")
	if _, err := c.etcd.Delete(t.Context(), "/p/b"); err != nil {
		t.Fatal(err)
	}
	is("the changes", map[string]string{"a": "2"})

	// What happens while the mirror is away is compacted before it can ask for it.
	s.stop()
	s.options.Listen, s.options.Peer = freeAddress(t), freeAddress(t)
	kept := c
	s.start()
	c = s.client()
	put("/p/a", "3")
	put("/p/c", "1")
	resp, err := c.etcd.Delete(t.Context(), "/p/a")
	if err != nil {
		t.Fatal(err)
	}
	put("/p/d", "1")
	if _, err := c.etcd.Compact(t.Context(), resp.Header.Revision+1); err != nil {
		t.Fatal(err)
	}
	kept.etcd.SetEndpoints("http://" + s.options.Listen)
	is("after compaction", map[string]string{"c": "1", "d": "1"})
	mirror.Refresh()
	put("/p/c", "2")
	is("after a refresh", map[string]string{"c": "2", "d": "1"})
}
