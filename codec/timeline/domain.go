package timeline

import "github.com/headwater-live/headwater/codec/media"

// unwrap reads a 32 bit timestamp as the one nearest to what the domain has reached.
func (d *domain) unwrap(ts uint32) int64 {
	return d.high + int64(int32(ts-uint32(d.high)))
}

// line is the raw timestamp that arrival time explains.
func (d *domain) line(now int64) int64 { return max(d.high, now-d.fastest) }

// enter finds the domain that a unit belongs to, or makes one, puts its track there and returns the
// unit's raw timestamp in it. A domain that both tracks have left is asked last: it is only there
// for a track to come back to after a stray timestamp.
func (t *Timeline) enter(tr *track, ts uint32) int64 {
	best := none
	var raw, distance int64
	for i := range t.domains {
		d := &t.domains[i]
		if !d.live {
			continue
		}
		r := d.unwrap(ts)
		dist, ok := t.fits(tr, i, r)
		if !ok {
			continue
		}
		if best == none || t.prefer(i, dist, best, distance) {
			best, raw, distance = i, r, dist
		}
	}
	switch {
	case best == none:
		return t.begin(tr, ts)
	case best != tr.domain:
		t.join(tr, best, raw)
	}
	return raw
}

// prefer tells whether domain i suits a timestamp better than domain j, at their distances.
func (t *Timeline) prefer(i int, di int64, j int, dj int64) bool {
	if a, b := t.inhabited(i), t.inhabited(j); a != b {
		return a
	}
	if di != dj {
		return di < dj
	}
	return t.domains[i].born > t.domains[j].born
}

// fits tells whether a raw timestamp can belong to domain i, and how far it is from the one that is
// expected there. Time that passed explains a hole, but does not make one expected: after a stall
// of the network, the next unit is as near to the one before it as ever.
func (t *Timeline) fits(tr *track, i int, raw int64) (distance int64, ok bool) {
	d := &t.domains[i]
	if raw > d.line(t.now)+t.forward {
		return 0, false
	}
	if i == tr.domain {
		return abs(raw - tr.high - tr.step), raw >= tr.high-t.back
	}
	rise := raw + d.offset - tr.last
	if t.inhabited(i) {
		// The range is wide when nobody used the domain for long: a stray timestamp in it must not
		// hold the track back.
		return abs(raw - d.high), raw >= d.high-t.forward && rise >= -t.forward
	}
	fresh := t.now-d.usedAt <= t.forward
	return abs(raw - d.high), fresh && raw >= d.high-t.back && rise >= -maxStep
}

func abs(v int64) int64 { return max(v, -v) }

// inhabited tells whether a track is in domain i.
func (t *Timeline) inhabited(i int) bool {
	return t.tracks[media.Video].domain == i || t.tracks[media.Audio].domain == i
}

// begin makes a new domain in which the unit continues the timeline.
func (t *Timeline) begin(tr *track, ts uint32) int64 {
	raw := int64(ts)
	at := t.resume(tr, raw)
	i := t.freeSlot(tr)
	t.born++
	t.domains[i] = domain{
		live: true, born: t.born, offset: at - raw,
		high: raw, usedAt: t.now, fastest: t.now - raw,
	}
	tr.domain, tr.high = i, raw
	return raw
}

// resume gives the DTS of the first unit of a new domain.
func (t *Timeline) resume(tr *track, raw int64) int64 {
	if !t.begun {
		t.begun = true
		at := t.base + min(raw, headroom)
		t.lead = at - t.now
		return at
	}
	t.stats.Jumps++
	if elapsed := t.now - tr.arrival; tr.domain != none && elapsed <= t.maxGap {
		return tr.last + max(elapsed, tr.step)
	}
	// A reconnect, a track that begins with timestamps of its own, or one that was away for long:
	// it goes where the timeline is now.
	return t.highest + min(max(t.now-t.heard, tr.step), t.maxGap)
}

// freeSlot returns the index of a domain that the other track does not need. It keeps the track's
// own domain if it can: after a stray timestamp the track comes back to it.
func (t *Timeline) freeSlot(tr *track) int {
	for _, kind := range [2]media.Kind{media.Video, media.Audio} {
		if other := &t.tracks[kind]; other != tr && other.domain != none {
			return 1 - other.domain
		}
	}
	if tr.domain != none {
		return 1 - tr.domain
	}
	return 0
}

// join puts a track in a domain that exists. Where the track has given a higher DTS already, the
// whole domain moves up by the difference, so that audio and video stay in step and no unit has to
// be squeezed.
func (t *Timeline) join(tr *track, i int, raw int64) {
	d := &t.domains[i]
	d.offset += max(0, tr.last+1-(raw+d.offset))
	tr.domain, tr.high = i, raw
}

// newest returns the domain made last, or nil.
func (t *Timeline) newest() *domain {
	var found *domain
	for i := range t.domains {
		if d := &t.domains[i]; d.live && (found == nil || d.born > found.born) {
			found = d
		}
	}
	return found
}
