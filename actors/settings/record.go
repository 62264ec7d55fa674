package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// recordFormat is that of a record's JSON. A node refuses one that it does not know, and keeps what
// it has.
const recordFormat = 1

// Bounds of a record.
const (
	// MaxRecord is the size of the largest record in bytes.
	MaxRecord  = 64 << 10
	maxDone    = maxSeen // commands that a record remembers to have been carried out
	maxPending = 4       // one of each kind: a later one replaces the whole of what it changes
)

// record is all that is known of a key's settings, as it is kept and told to other nodes.
type record struct {
	settings Settings
	// done are the IDs of the latest commands that are in the settings, the oldest first.
	done []string
	// pending are those of them that are not known to be stored for all nodes: whoever stores them
	// does so on top of what others have stored meanwhile.
	pending []pendingChange
	// base is the version that was stored for all nodes when the first of those was accepted.
	base uint64
}

// pendingChange is a command that has been accepted and has yet to be stored.
type pendingChange struct {
	id      string
	version uint64 // of the settings that had it first
	change  Change
	// earlier are the IDs of those of its kind that it replaced before they were stored. They count
	// as done where it is.
	earlier []string
}

// has tells whether the settings have a command in them.
func (r *record) has(id string) bool { return slices.Contains(r.done, id) }

// apply carries a command out on a record, as the next version. The record is another afterwards:
// nothing of the former is changed.
func (r *record) apply(p pendingChange) error {
	next := r.settings
	if err := p.change.apply(&next); err != nil {
		return err
	}
	r.settings = next
	r.finish(p)
	return nil
}

// finish makes a record with a change in it the next version.
func (r *record) finish(p pendingChange) {
	r.settings.Version++
	done := slices.Clone(r.done)
	for _, id := range append(slices.Clone(p.earlier), p.id) {
		if !slices.Contains(done, id) {
			done = append(done, id)
		}
	}
	r.done = done[max(0, len(done)-maxDone):]
	p.version = r.settings.Version
	r.pend(p)
}

// redo carries a command out again on what others have, if it is not in it, and tells whether that
// makes it another record.
func (r *record) redo(p pendingChange) bool {
	if !r.has(p.id) {
		return r.apply(p) == nil
	}
	if !slices.ContainsFunc(p.earlier, func(id string) bool { return !r.has(id) }) {
		return false
	}
	r.finish(p) // what it replaced here is replaced there
	return true
}

// pend notes that a change has yet to be stored, in place of an earlier one of its kind.
func (r *record) pend(p pendingChange) {
	kept := make([]pendingChange, 0, len(r.pending)+1)
	for _, o := range r.pending {
		if kindOf(o.change) != kindOf(p.change) {
			kept = append(kept, o)
			continue
		}
		for _, id := range append(slices.Clone(o.earlier), o.id) {
			if r.has(id) && id != p.id && !slices.Contains(p.earlier, id) {
				p.earlier = append(slices.Clip(p.earlier), id)
			}
		}
	}
	r.pending = append(kept, p)
}

// stored notes that a version is stored for all nodes.
func (r *record) stored(version uint64) {
	r.base = max(r.base, version)
	kept := make([]pendingChange, 0, len(r.pending))
	for _, p := range r.pending {
		if p.version > version {
			kept = append(kept, p)
		}
	}
	r.pending = kept
}

// same tells whether two records say the same, whoever has yet to store it.
func (r *record) same(o *record) bool { return bytes.Equal(r.encode(false), o.encode(false)) }

func kindOf(c Change) int {
	switch c.(type) {
	case SetBlur:
		return 0
	case SetPolicy:
		return 1
	case SetMute:
		return 2
	default:
		return 3
	}
}

// The JSON of a record.
type (
	recordJSON struct {
		Format     int           `json:"format"`
		Version    uint64        `json:"version"`
		Blur       blurJSON      `json:"blur"`
		Always     bool          `json:"always"`
		Mute       bool          `json:"mute"`
		Renditions []Rendition   `json:"renditions,omitempty"`
		Done       []string      `json:"done,omitempty"`
		Base       uint64        `json:"base,omitempty"`
		Pending    []pendingJSON `json:"pending,omitempty"`
	}
	blurJSON struct {
		Mode  string `json:"mode"`
		Rects []Rect `json:"rects,omitempty"`
	}
	pendingJSON struct {
		ID         string       `json:"id"`
		Earlier    []string     `json:"earlier,omitempty"`
		Blur       *blurJSON    `json:"blur,omitempty"`
		Always     *bool        `json:"always,omitempty"`
		Mute       *bool        `json:"mute,omitempty"`
		Renditions *[]Rendition `json:"renditions,omitempty"`
	}
)

// encode writes a record; without what is pending, it is what every node that stores this version
// of these settings writes.
func (r *record) encode(pending bool) []byte {
	s := &r.settings
	out := recordJSON{
		Format: recordFormat, Version: s.Version, Blur: toBlurJSON(s.Blur), Always: s.Always,
		Mute: s.Mute, Renditions: s.Renditions, Done: r.done,
	}
	if pending {
		out.Base = r.base
		for _, p := range r.pending {
			out.Pending = append(out.Pending, toPendingJSON(p))
		}
	}
	data, err := json.Marshal(&out)
	if err != nil { // of numbers that check refuses
		panic(fmt.Errorf("settings: %w", err))
	}
	return data
}

func toBlurJSON(b Blur) blurJSON { return blurJSON{Mode: b.Mode.String(), Rects: b.Rects} }

func toPendingJSON(p pendingChange) pendingJSON {
	out := pendingJSON{ID: p.id, Earlier: p.earlier}
	switch c := p.change.(type) {
	case SetBlur:
		blur := toBlurJSON(c.Blur)
		out.Blur = &blur
	case SetPolicy:
		out.Always = &c.Always
	case SetMute:
		out.Mute = &c.Mute
	case SetRenditions:
		out.Renditions = &c.Renditions
	}
	return out
}

// decode reads a record, and refuses what no node could have been commanded.
func decode(data []byte) (*record, error) {
	if len(data) > MaxRecord {
		return nil, fmt.Errorf("settings of %d bytes, at most %d", len(data), MaxRecord)
	}
	var format struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &format); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if format.Format != recordFormat {
		return nil, fmt.Errorf("settings of format %d: this node knows %d", format.Format, recordFormat)
	}
	var in recordJSON
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields() // what is not read would not be hidden
	if err := decoder.Decode(&in); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return in.record()
}

func (in *recordJSON) record() (*record, error) {
	r := &record{settings: Settings{Version: in.Version}, done: in.Done, base: in.Base}
	if in.Version == 0 || in.Version > maxVersion || in.Base > in.Version {
		return nil, fmt.Errorf("settings: version %d", in.Version)
	}
	blur, err := in.Blur.blur()
	if err != nil {
		return nil, err
	}
	for _, c := range []Change{
		blur, SetPolicy{in.Always}, SetMute{in.Mute}, SetRenditions{in.Renditions},
	} {
		if err := c.apply(&r.settings); err != nil {
			return nil, fmt.Errorf("settings: %w", err)
		}
	}
	if len(in.Done) > maxDone || len(in.Pending) > maxPending {
		return nil, fmt.Errorf("settings: %d commands done, %d pending", len(in.Done), len(in.Pending))
	}
	for _, id := range in.Done {
		if !isID(id) {
			return nil, fmt.Errorf("settings: id of %d bytes", len(id))
		}
	}
	for i := range in.Pending {
		p, err := in.Pending[i].pending()
		if err != nil {
			return nil, err
		}
		p.version = in.Version
		r.pend(p)
	}
	return r, nil
}

// maxVersion leaves room to count on.
const maxVersion = 1 << 62

func isID(id string) bool { return id != "" && len(id) <= maxID }

func (in *blurJSON) blur() (SetBlur, error) {
	mode, err := ParseMode(in.Mode)
	return SetBlur{Blur{Mode: mode, Rects: in.Rects}}, err
}

func (in *pendingJSON) pending() (p pendingChange, err error) {
	p.id, p.earlier = in.ID, in.Earlier
	wrong := func(id string) bool { return !isID(id) }
	if len(p.earlier) > maxDone || slices.ContainsFunc(p.earlier, wrong) {
		return p, fmt.Errorf("settings: a pending command that replaced %d", len(p.earlier))
	}
	var all []Change
	if in.Blur != nil {
		blur, err := in.Blur.blur()
		if err != nil {
			return p, err
		}
		all = append(all, blur)
	}
	if in.Always != nil {
		all = append(all, SetPolicy{*in.Always})
	}
	if in.Mute != nil {
		all = append(all, SetMute{*in.Mute})
	}
	if in.Renditions != nil {
		all = append(all, SetRenditions{*in.Renditions})
	}
	if len(all) != 1 || !isID(p.id) {
		return p, fmt.Errorf("settings: a pending command of %d changes", len(all))
	}
	p.change = all[0]
	return p, p.change.apply(&Settings{})
}
