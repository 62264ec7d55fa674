package process

import (
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/media"
)

// intake makes the pipeline's units of what a subscription brings: it leaves out what comes twice
// and what is no video, and notices what is missing.
type intake struct {
	answered   bool // the subscription: what comes before it is a former incarnation's
	epoch, seq uint64
	begun      bool
	gap        bool // units are missing in front of the next video unit
}

// unit takes the next unit of the topic, and reports whether it is one to decode.
func (i *intake) unit(u *topic.Unit) (Unit, bool) {
	switch {
	case !i.answered: // to begin with it would leave out the snapshot, which reaches further back
		return Unit{}, false
	case !i.begun || u.Epoch != i.epoch:
		i.gap = i.begun
		i.begun, i.epoch = true, u.Epoch
	case u.Seq <= i.seq:
		return Unit{}, false
	case u.Seq != i.seq+1:
		i.gap = true
	}
	i.seq = u.Seq
	if u.Kind != media.Video {
		return Unit{}, false
	}
	unit := Unit{AccessUnit: u.AccessUnit, Gap: i.gap}
	if u.Header != nil {
		unit.Header = u.Header.Body
	}
	i.gap = false
	return unit, true
}

// snapshot takes what a subscription begins with. A later one, after the topic was restarted, goes
// on where the last unit was, if it reaches back so far. It reports whether the units are a new
// beginning.
func (i *intake) snapshot(s *topic.Snapshot) (units []Unit, anew bool) {
	i.answered = true
	from := 0 // the first unit that is not one of the headers of the track, which each unit brings
	for from < len(s.Units) && s.Units[from].Role == media.SequenceHeader {
		from++
	}
	if from == len(s.Units) {
		from = max(0, from-1) // headers only: the last one may be the video's first sign
	}
	rest := s.Units[from:]
	if len(rest) == 0 {
		return nil, false
	}
	first := rest[0]
	if anew = !i.begun || first.Epoch != i.epoch || first.Seq > i.seq+1; anew {
		i.gap = i.begun
		i.begun, i.epoch, i.seq = true, first.Epoch, first.Seq-1
	}
	for _, u := range rest {
		if unit, ok := i.unit(u); ok {
			units = append(units, unit)
		}
	}
	return units, anew
}
