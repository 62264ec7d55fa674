package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
	"github.com/headwater-live/headwater/codec/rtmp"
)

// loop is an FLV file that can be played over and over.
type loop struct {
	tags   []tag
	period int64 // milliseconds
}

// tag is one message.
type tag struct {
	typ  uint8
	at   int64 // milliseconds since the beginning
	body []byte
	once bool // belongs to the beginning of a connection only: headers, metadata
}

// track measures the times of one kind of media.
type track struct {
	first, last int64
	frames      int64
}

func (t *track) add(at int64) {
	if t.frames == 0 {
		t.first, t.last = at, at
	}
	t.first, t.last = min(t.first, at), max(t.last, at)
	t.frames++
}

// period is the time from the first frame to where the one behind the last would be: as far from
// it as frames are from each other in the mean.
func (t *track) period() int64 {
	if t.frames < 2 {
		return 0
	}
	between := t.frames - 1
	return ((t.last-t.first)*t.frames + between/2) / between
}

// parse reads an FLV file. It may begin at any timestamp.
func parse(file []byte) (*loop, error) {
	l := &loop{}
	var tracks [media.Kinds]track
	r := flv.NewReader(bytes.NewReader(file), 0)
	for {
		next, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(next.Body) == 0 {
			continue
		}
		info, err := flv.Parse(next.Kind, next.Body)
		if err != nil {
			return nil, fmt.Errorf("before byte %d: %w", r.Offset(), err)
		}
		at := next.Time.Millis()
		once := next.Kind == media.Data || info.Role == media.SequenceHeader
		if !once {
			tracks[next.Kind].add(at)
		}
		l.tags = append(l.tags, tagOf(next, info, at, once))
	}
	for _, t := range tracks {
		l.period = max(l.period, t.period())
	}
	if l.period == 0 {
		return nil, fmt.Errorf("%d tags: no two frames apart in time", len(l.tags))
	}
	l.shift()
	return l, nil
}

// tagOf returns the RTMP message of an FLV tag. Its body differs only for metadata, in front of
// which a publisher puts "@setDataFrame".
func tagOf(t flv.Tag, info flv.Info, at int64, once bool) tag {
	m := tag{at: at, body: t.Body, once: once}
	switch t.Kind {
	case media.Audio:
		m.typ = rtmp.TypeAudio
	case media.Video:
		m.typ = rtmp.TypeVideo
	default:
		m.typ = rtmp.TypeData
		if info.Role == media.SequenceHeader && !info.Flags.Has(flv.SetDataFrame) {
			m.body = append([]byte("\x02\x00\x0d@setDataFrame"), t.Body...)
		}
	}
	return m
}

// shift makes the earliest timestamp zero.
func (l *loop) shift() {
	first := l.tags[0].at
	for _, t := range l.tags {
		first = min(first, t.at)
	}
	for i := range l.tags {
		l.tags[i].at -= first
	}
}

// forever yields the tags over and over, with times that go on rising.
func (l *loop) forever() iter.Seq[tag] {
	return func(yield func(tag) bool) {
		for offset := int64(0); ; offset += l.period {
			for _, t := range l.tags {
				if t.once && offset > 0 {
					continue
				}
				t.at += offset
				if !yield(t) {
					return
				}
			}
		}
	}
}
