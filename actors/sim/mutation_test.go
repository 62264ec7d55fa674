package sim

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/actors/ingest"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/timeline"
)

// broadcast makes what a viewer gets of a healthy broadcast: three GOPs, the third under another
// header, and audio.
func broadcast(t *testing.T) (*ledger, []*topic.Unit) {
	t.Helper()
	l, m := newLedger(), ingest.NewMachine(7, timeline.Start{})
	var units []*topic.Unit
	var now media.Time
	send := func(kind media.Kind, body []byte, k mark) {
		msg := message(kind, uint32(now.Millis()), body)
		if k != (mark{}) {
			l.publish(k, kind, msg.Body)
		}
		u, err := m.Message(&msg, now)
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, u)
	}
	send(media.Data, metadata(), mark{})
	send(media.Audio, audioHeader(1, 1), mark{})
	n, header := uint32(0), uint32(0)
	for gop := uint32(1); gop <= 3; gop++ {
		if gop != 2 {
			header++
			send(media.Video, videoHeader(1, header), mark{})
		}
		for i := range uint32(4) {
			n++
			video := mark{session: 1, n: n, header: header, gop: gop, index: i}
			send(media.Video, videoFrame(video, i == 0, 40, 50), video)
			n++
			audio := mark{session: 1, n: n, header: 1}
			send(media.Audio, audioFrame(audio, 20), audio)
			now += 40 * media.Millisecond
		}
	}
	return l, units
}

func deliver(l *ledger, units []*topic.Unit) error {
	c := check{ledger: l}
	for _, u := range units {
		if err := c.unit(u); err != nil {
			return err
		}
	}
	return nil
}

// The places of some units of broadcast.
const (
	audioHeaderAt = 1
	videoHeaderAt = 2
	firstKeyframe = 3
	firstAudio    = 4
	secondPicture = 5
	secondAudio   = 6
	thirdAudio    = 8
	newHeaderAt   = 19
)

// changed is a unit with other contents in the same place.
func changed(u *topic.Unit, change func(*media.AccessUnit)) *topic.Unit {
	au := u.AccessUnit
	au.Tail = slices.Clone(au.Tail)
	au.Body = au.Tail[:len(au.Body)]
	change(&au)
	return topic.NewUnit(u.Epoch, u.Seq, au)
}

// mutation is a way to corrupt a good delivery, and what is to be noticed of it.
type mutation struct {
	mutate func([]*topic.Unit) []*topic.Unit
	want   error
}

// losses leave something out.
func losses() map[string]mutation {
	return map[string]mutation{
		"nothing": {func(u []*topic.Unit) []*topic.Unit { return u }, nil},
		"a GOP is skipped": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, firstKeyframe+8, firstKeyframe+16)
		}, nil},
		"the end of a GOP is skipped": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, secondPicture, firstKeyframe+8)
		}, nil},
		"a picture is lost": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, secondPicture, secondPicture+1)
		}, errDecode},
		"a keyframe is lost": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, firstKeyframe, firstKeyframe+1)
		}, errDecode},
		"audio is lost within a GOP": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, secondAudio, secondAudio+1)
		}, errLoss},
		"the video header is lost": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, videoHeaderAt, videoHeaderAt+1)
		}, errHeader},
		"the audio header is lost": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, audioHeaderAt, audioHeaderAt+1)
		}, errHeader},
		"the new header is lost": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Delete(u, newHeaderAt, newHeaderAt+1)
		}, errHeader},
		"the new header comes too early": {func(u []*topic.Unit) []*topic.Unit {
			h := u[newHeaderAt]
			return slices.Insert(slices.Delete(u, newHeaderAt, newHeaderAt+1), secondPicture, h)
		}, errTime},
	}
}

// changes bring in what was not there, or not so.
func changes() map[string]mutation {
	return map[string]mutation{
		"a unit comes twice": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Insert(u, secondAudio, u[secondPicture])
		}, errOrder},
		"two units change places": {func(u []*topic.Unit) []*topic.Unit {
			u[firstAudio], u[secondPicture] = u[secondPicture], u[firstAudio]
			return u
		}, errLoss},
		"a header comes again": {func(u []*topic.Unit) []*topic.Unit {
			return slices.Insert(u, firstAudio, u[audioHeaderAt])
		}, errOrder},
		"DTS falls": {func(u []*topic.Unit) []*topic.Unit {
			u[thirdAudio] = changed(u[thirdAudio], func(au *media.AccessUnit) { au.DTS = 0 })
			return u
		}, errTime},
		"a byte differs": {func(u []*topic.Unit) []*topic.Unit {
			u[secondAudio] = changed(u[secondAudio], func(au *media.AccessUnit) {
				au.Body[len(au.Body)-1] ^= 1
			})
			return u
		}, errPayload},
		"a body is cut": {func(u []*topic.Unit) []*topic.Unit {
			u[secondAudio] = changed(u[secondAudio], func(au *media.AccessUnit) {
				au.Body = au.Body[:len(au.Body)-1]
				au.Tail = au.Body
			})
			return u
		}, errPayload},
		"CTS is not that of the body": {func(u []*topic.Unit) []*topic.Unit {
			u[secondPicture] = changed(u[secondPicture], func(au *media.AccessUnit) { au.CTS++ })
			return u
		}, errForm},
		"the serialised time is another": {func(u []*topic.Unit) []*topic.Unit {
			moved := *u[secondPicture]
			moved.DTS += media.Second
			u[secondPicture] = &moved
			return u
		}, errForm},
		"a former epoch goes on": {func(u []*topic.Unit) []*topic.Unit {
			old := topic.NewUnit(6, 100, u[secondAudio].AccessUnit)
			return slices.Insert(u, secondAudio, old)
		}, errOrder},
		"a new epoch goes on where the old one was": {func(u []*topic.Unit) []*topic.Unit {
			for i := secondPicture; i < len(u); i++ {
				u[i] = topic.NewUnit(8, uint64(i), u[i].AccessUnit)
			}
			return u
		}, errHeader},
	}
}

// TestCheckNoticesMutations corrupts a good delivery in each way that the check is there for.
func TestCheckNoticesMutations(t *testing.T) {
	all := losses()
	maps.Copy(all, changes())
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			l, units := broadcast(t)
			if err := deliver(l, c.mutate(units)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
