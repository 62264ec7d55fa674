package process

import "github.com/headwater-live/headwater/codec/media"

// picker chooses which pictures are encoded.
type picker struct {
	interval media.Time // of the rendition's frame rate; 0: every picture
	due      media.Time
	begun    bool
	n        int // pictures since the last one that was taken
}

func newPicker(fps int) picker {
	if fps <= 0 {
		return picker{}
	}
	return picker{interval: media.Second / media.Time(fps)}
}

// take tells whether the picture is encoded: one in every pace of those that the rendition's frame
// rate has room for. A forced one always is, and the others are counted from it.
func (p *picker) take(pts media.Time, pace int, forced bool) bool {
	if p.interval > 0 && p.begun && !forced && pts < p.due-p.interval/8 {
		return false
	}
	p.n++
	if !forced && p.n < pace {
		p.advance(pts, false)
		return false
	}
	p.n = 0
	p.advance(pts, forced)
	return true
}

// advance sets when the next picture is due. The steps add up, so that 20 of 30 pictures a second
// are 20 and not 15, unless the source paused or the count begins anew.
func (p *picker) advance(pts media.Time, anew bool) {
	p.due += p.interval
	if anew || !p.begun || pts >= p.due || p.due-pts > 2*p.interval {
		p.due = pts + p.interval
	}
	p.begun = true
}
