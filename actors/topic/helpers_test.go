package topic

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = media.Millisecond

// unit makes a unit of one letter: V, A and D are headers, K is a keyframe, f a frame of video, a
// is audio and d data.
func unit(epoch, seq uint64, letter byte, dts media.Time) *Unit {
	au := media.AccessUnit{DTS: dts}
	switch letter {
	case 'V', 'K', 'f':
		au.Kind, au.Codec = media.Video, media.AVC
	case 'A', 'a':
		au.Kind, au.Codec = media.Audio, media.AAC
	}
	switch letter {
	case 'V', 'A', 'D':
		au.Role = media.SequenceHeader
	case 'K', 'a':
		au.Role = media.Keyframe
	}
	au.Body, au.Tail = flv.NewBody(16)
	au.Body[0] = letter
	binary.BigEndian.PutUint64(au.Body[8:], seq)
	return NewUnit(epoch, seq, au)
}

// letters names units as unit's argument does, each with its sequence number.
func letters(units []*Unit) string {
	var words []string
	for _, u := range units {
		words = append(words, fmt.Sprintf("%c%d", u.Body[0], u.Seq))
	}
	return strings.Join(words, " ")
}

// latest is the time of the latest unit of any track.
func latest(m *Machine) media.Time {
	return max(m.mark.last[media.Video], m.mark.last[media.Audio], m.mark.last[media.Data])
}

// feed pushes units of consecutive sequence numbers, 10 ms apart, and publishes them.
func feed(t testing.TB, m *Machine, epoch uint64, word string) {
	t.Helper()
	for i := range len(word) {
		seq := m.Seq() + 1
		if epoch != m.Epoch() {
			seq = 1
		}
		last := latest(m)
		if _, err := m.Push(unit(epoch, seq, word[i], last+10*ms)); err != nil {
			t.Fatalf("%c%d: %v", word[i], seq, err)
		}
	}
	m.ring.Publish()
}

// all reads what there is.
func all(r *Reader) []*Unit { return r.Next(make([]*Unit, 0, 1024), 1<<30) }
