package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/headwater-live/headwater/codec/flv"
	"github.com/headwater-live/headwater/codec/media"
)

// unit is one access unit as a publisher sent it or a viewer received it.
type unit struct {
	kind media.Kind
	ms   int64
	body []byte
}

// String tells which unit it is, for messages.
func (u unit) String() string {
	info, _ := u.info()
	return fmt.Sprintf("%s %s of %d bytes at %d ms, sha256 %.8x",
		u.kind, info.Role, len(u.body), u.ms, sha256.Sum256(u.body))
}

func (u unit) info() (flv.Info, error) { return flv.Parse(u.kind, u.body) }

func (u unit) role() media.Role {
	info, _ := u.info()
	return info.Role
}

func (u unit) header() bool { return u.role() == media.SequenceHeader }

// picture tells whether a viewer can begin with u.
func (u unit) picture() bool { return u.kind == media.Video && u.role() == media.Keyframe }

func (u unit) same(v unit) bool { return u.kind == v.kind && bytes.Equal(u.body, v.body) }

// effective is what of sent has to arrive: all but headers that say nothing new and the sign that
// the publisher's sequence is over.
func effective(sent []unit) []unit {
	var headers [media.Kinds][]byte
	var out []unit
	for _, u := range sent {
		info, err := u.info()
		if err != nil || info.Flags.Has(flv.EndOfSequence) {
			continue
		}
		if info.Role == media.SequenceHeader {
			if info.Payload == len(u.body) || bytes.Equal(headers[u.kind], u.body) {
				continue
			}
			headers[u.kind] = u.body
		}
		out = append(out, u)
	}
	return out
}

// begin splits what a viewer received into the headers that it got first and the rest.
func begin(got []unit) (headers, rest []unit) {
	i := slices.IndexFunc(got, func(u unit) bool { return !u.header() })
	if i < 0 {
		return got, nil
	}
	return got[:i], got[i:]
}

// checkLedger holds what a viewer received to what the publisher sent, body by body: the headers
// that were in force, then every unit from a keyframe on in the same order, none missing, changed
// or twice, and all moved in time by one and the same offset. It returns how many units it held to
// each other.
func checkLedger(t *testing.T, name string, sent, got []unit) int {
	t.Helper()
	sent = effective(sent)
	headers, rest := begin(got)
	if len(rest) == 0 || !rest[0].picture() {
		t.Errorf("%s: does not begin with a picture: %v", name, head(got))
		return 0
	}
	from := slices.IndexFunc(sent, rest[0].same)
	if from < 0 {
		t.Errorf("%s: begins with what was never sent: %v", name, rest[0])
		return 0
	}
	checkHeaders(t, name, sent[:from], headers)
	if len(rest) > len(sent)-from {
		t.Errorf("%s: %d units, but only %d were sent", name, len(rest), len(sent)-from)
		return 0
	}
	offset := rest[0].ms - sent[from].ms
	for i, u := range rest {
		want := sent[from+i]
		if !u.same(want) {
			t.Errorf("%s: unit %d is %v, but %v was sent", name, i, u, want)
			return i
		}
		if moved := u.ms - want.ms; moved != offset && !u.header() {
			t.Errorf("%s: unit %d is moved by %d ms, the first by %d: %v", name, i, moved, offset, u)
			return i
		}
	}
	return len(rest)
}

// checkHeaders holds the headers that a viewer got first to the last of each kind before.
func checkHeaders(t *testing.T, name string, before, headers []unit) {
	t.Helper()
	var want [media.Kinds]*unit
	for i := range before {
		if before[i].header() {
			want[before[i].kind] = &before[i]
		}
	}
	for _, u := range headers {
		if w := want[u.kind]; w == nil || !w.same(u) {
			t.Errorf("%s: got as header %v, want %v", name, u, w)
		}
		want[u.kind] = nil
	}
	for _, w := range want {
		if w != nil {
			t.Errorf("%s: never got the header %v", name, w)
		}
	}
}

// checkRising fails t if a time falls on any track.
func checkRising(t *testing.T, name string, got []unit) {
	t.Helper()
	latest := [media.Kinds]int64{-1, -1, -1}
	for i, u := range got {
		if u.ms < latest[u.kind] {
			t.Errorf("%s: unit %d falls from %d ms: %v", name, i, latest[u.kind], u)
			return
		}
		latest[u.kind] = u.ms
	}
}

// head is the first few units.
func head(units []unit) []unit { return units[:min(len(units), 5)] }

// count counts the units for which is holds.
func count(units []unit, is func(unit) bool) int {
	n := 0
	for _, u := range units {
		if is(u) {
			n++
		}
	}
	return n
}

func videoHeader(u unit) bool { return u.kind == media.Video && u.header() }

// flvFile is an FLV file of units.
func flvFile(units []unit) []byte {
	header := flv.FileHeader(true, true)
	out := header[:]
	for _, u := range units {
		out = flv.AppendTag(out, u.kind, media.FromMillis(u.ms), u.body)
	}
	return out
}
