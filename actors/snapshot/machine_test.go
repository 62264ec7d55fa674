package snapshot

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// scene plays a machine whose time is the test's.
type scene struct {
	t    *testing.T
	m    *machine
	now  time.Time
	made int
}

func newScene(t *testing.T) *scene {
	return &scene{t: t, m: newMachine(), now: time.Unix(1000, 0)}
}

// ask asks for a snapshot of unit seq, which was filtered under a version.
func (s *scene) ask(key string, seq, version, floor uint64) {
	unit := topic.NewUnit(1, seq, media.AccessUnit{Kind: media.Video, Role: media.Keyframe})
	s.m.take(&Take{Key: key, Unit: unit, Version: version, Floor: floor},
		actor.NewPID("local", "asker"), s.now)
}

// work does the job that is due, if there is one.
func (s *scene) work(err error) {
	j := s.m.next()
	if j == nil {
		return
	}
	s.made++
	o := &made{of: j, err: err}
	if err == nil {
		o.picture = &Picture{Epoch: j.take.Unit.Epoch, Seq: j.take.Unit.Seq}
	}
	s.m.made(o, s.now)
}

// want wants answers since the last call, and pictures made in all.
func (s *scene) want(answers string, made int) {
	s.t.Helper()
	var got []string
	for _, o := range s.m.out.Take() {
		switch msg := o.Msg.(type) {
		case *Picture:
			got = append(got, fmt.Sprint(msg.Seq))
		case *Refused:
			got = append(got, msg.Reason)
		}
	}
	if text := strings.Join(got, ","); text != answers || s.made != made {
		s.t.Errorf("answers %q and %d made, want %q and %d", text, s.made, answers, made)
	}
}

// TestOneASecond holds that a rendition's picture is made once a second, and once of a unit.
func TestOneASecond(t *testing.T) {
	s := newScene(t)
	s.ask("a", 1, 0, 0)
	s.ask("a", 1, 0, 0)
	s.want("", 0)
	s.work(nil)
	s.want("1,1", 1)
	s.ask("a", 1, 0, 0)
	s.now = s.now.Add(interval - time.Millisecond)
	s.ask("a", 5, 0, 0)
	s.work(nil)
	s.want("1,1", 1)
	s.now = s.now.Add(time.Millisecond)
	s.ask("a", 5, 0, 0)
	s.work(nil)
	s.want("5", 2)
	s.now = s.now.Add(5 * time.Second)
	s.ask("a", 5, 0, 0)
	s.work(nil)
	s.want("5", 2)
	s.ask("b", 5, 0, 0)
	s.work(nil)
	s.want("5", 3)
}

// TestFloor holds that what was at hand, or is being made, is not given out once a blur was
// commanded that it does not have, however young it is.
func TestFloor(t *testing.T) {
	s := newScene(t)
	s.ask("a", 1, 0, 0)
	s.work(nil)
	s.want("1", 1)
	s.ask("a", 2, 7, 7)
	s.ask("a", 2, 7, 7)
	s.want("", 1)
	s.work(nil)
	s.want("2,2", 2)

	s.ask("b", 1, 0, 0)
	old := s.m.next()
	s.ask("b", 2, 7, 7)
	if s.m.next() != nil {
		t.Error("two pictures are made at a time")
	}
	s.m.made(&made{of: old, picture: &Picture{Seq: 1}}, s.now)
	s.want("1", 2) // who asked before the command was given
	s.work(nil)
	s.want("2", 3)
}

// TestFailure holds that a picture that fails is not tried again, and that another one is.
func TestFailure(t *testing.T) {
	s := newScene(t)
	s.ask("a", 1, 0, 0)
	s.work(errors.New("broken"))
	s.now = s.now.Add(time.Minute)
	s.ask("a", 1, 0, 0)
	s.work(nil)
	s.want("broken,broken", 1)
	s.ask("a", 2, 0, 0)
	s.work(nil)
	s.want("2", 2)
}

func TestRestart(t *testing.T) {
	s := newScene(t)
	s.m.restart(s.now)
	s.ask("a", 1, 0, 0)
	s.ask("b", 1, 0, 0)
	j := s.m.next()
	s.m.restart(s.now)
	s.want("the snapshot could not be made", 0)
	s.m.made(&made{of: j, picture: &Picture{}}, s.now) // a straggler
	s.want("", 0)
	s.work(nil)
	s.want("1", 1)
}

// TestBounds holds that what nobody asks for is forgotten, and that there is no more than that.
func TestBounds(t *testing.T) {
	s := newScene(t)
	for i := range maxShelf {
		s.ask(fmt.Sprint(i), 1, 0, 0)
	}
	s.ask("more", 1, 0, 0)
	s.want("snapshots of as many broadcasts as there may be are asked for", 0)
	for range maxShelf {
		s.work(nil)
	}
	s.m.out.Take()
	s.now = s.now.Add(unasked + 1)
	s.ask("more", 1, 0, 0)
	if len(s.m.entries) != 1 {
		t.Errorf("%d are kept", len(s.m.entries))
	}
	for i := range maxQueue { // the commands of a key that come faster than pictures are made
		s.ask("more", 2, uint64(i)+1, uint64(i)+1)
	}
	s.want("too many snapshots are asked for at once", maxShelf)
}
