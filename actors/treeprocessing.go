package actors

import (
	"time"

	"github.com/headwater-live/headwater/actors/directory"
	"github.com/headwater-live/headwater/actors/gate"
	"github.com/headwater-live/headwater/actors/loudness"
	"github.com/headwater-live/headwater/actors/process"
	"github.com/headwater-live/headwater/actors/settings"
	"github.com/headwater-live/headwater/actors/snapshot"
	"github.com/headwater-live/headwater/actors/supervise"
	"github.com/headwater-live/headwater/actors/topic"
	"github.com/headwater-live/headwater/codec/av"
	"github.com/headwater-live/headwater/codec/timeline"
)

// ProcessingOptions say how the pictures of this node's broadcasts are processed.
type ProcessingOptions struct {
	// Settings are those of a broadcast that nothing was commanded of.
	Settings settings.Settings
	// Slots bound the pictures that are worked on at a time. Nil means no bound.
	Slots *process.Slots
	// Limits bound the pictures that are decoded, Preset is the encoder's.
	Limits av.Limits
	Preset string
	// Isolation says where pipelines run, Drills whether a message may make one crash.
	Isolation process.Isolation
	Drills    bool
	// Hybrid has the publisher's own pictures pass while nothing is blurred, even where the policy
	// is to process always.
	Hybrid bool
	// SnapshotCommand is the command line of a child process that makes snapshots, where Isolation
	// asks for one.
	SnapshotCommand []string
	// Loudness has the sound of every broadcast measured.
	Loudness bool
}

// rendition is the topic of one form of the broadcast's picture.
func (t *tree) rendition(key string, epoch uint64, name, note string) supervise.Spec {
	return supervise.Spec{
		Name: gate.TopicName(name), Kind: "rendition", Mailbox: sourceMailbox, Rebind: true, Note: note,
		New: topic.New(topic.Options{
			Key: key, Ring: topic.NewRing(t.Ring), Window: t.window, Metrics: t.metrics.rendition,
			Name: name, Owner: t.pid(broadcastsName, broadcastName(key, epoch), gate.Name),
		}),
	}
}

// gate decides what leaves the broadcast. It has the other renditions and the processing started.
func (t *tree) gate(key string, epoch uint64, start timeline.Start) supervise.Spec {
	below := func(name string) []string {
		return []string{broadcastsName, broadcastName(key, epoch), name}
	}
	var measure func() supervise.Spec
	if t.Processing.Loudness {
		measure = func() supervise.Spec { return t.spec(t.loudness(key, epoch)) }
	}
	of, backup := directory.BackupOf(key)
	return supervise.Spec{
		Name: gate.Name, Kind: "gate", Mailbox: 2 * sourceMailbox, Rebind: true,
		Note: "decides what leaves; fails closed",
		New: gate.New(gate.Options{
			Key: of, Backup: backup, Quiet: func() bool { return backup || t.pinned.quiet(of) },
			Epoch: epoch, Start: start, Hybrid: t.Processing.Hybrid,
			Settings: t.pid(settings.Name),
			Source:   t.pid(below(sourceName)...), Public: t.pid(below(gate.TopicName(settings.Public))...),
			Processing: t.pid(below(processingName)...), Renditions: t.pid(below(renditionsName)...),
			Worker: func(w gate.StartWorker) supervise.Spec {
				return t.spec(t.process(key, epoch, w.Name, w.Rendition))
			},
			Topic: func(name string) supervise.Spec {
				return t.spec(t.rendition(key, epoch, name, "one of the ladder"))
			},
			Loudness: measure, Metrics: t.metrics.gates,
		}),
	}
}

// processing has what works on the broadcast's pictures and sound. It is never spent: whatever
// fails there is begun anew, ever more slowly, and the gate shows nothing that it must not.
func (t *tree) processing(key string, epoch uint64) supervise.Spec {
	return supervise.Spec{
		Name: processingName, Kind: "processing", Strategy: supervise.Dynamic, Rebind: true,
		Note:    "never spent: what fails comes back",
		Limit:   supervise.Limit{Max: 1000, Within: 10 * time.Second},
		Backoff: supervise.Backoff{Min: 50 * time.Millisecond, Max: 2 * time.Second},
		Templates: []supervise.Spec{
			t.process(key, epoch, "NAME", settings.Rendition{}), t.loudness(key, epoch),
		},
	}
}

// loudness measures the broadcast's sound.
func (t *tree) loudness(key string, epoch uint64) supervise.Spec {
	broadcast := broadcastName(key, epoch)
	return supervise.Spec{
		Name: loudness.Name, Kind: "loudness", Mailbox: sourceMailbox, Note: "audio volume analysis",
		New: loudness.New(loudness.Options{
			Key: key, Epoch: epoch, Source: t.pid(broadcastsName, broadcast, sourceName),
			Gate: t.pid(broadcastsName, broadcast, gate.Name), Metrics: t.metrics.loudness,
		}),
	}
}

// snapshots makes JPEGs of what viewers see. It is under a supervisor of its own, so that a picture
// on which it fails, again and again, costs the node nothing else.
func (t *tree) snapshots() supervise.Spec {
	isolation := t.Processing.Isolation
	isolation.Command = t.Processing.SnapshotCommand
	return supervise.Spec{
		Name: snapshotsName, Kind: "snapshots", Strategy: supervise.OneForOne, Rebind: true,
		Note:    "never spent: a bad picture costs no more",
		Limit:   supervise.Limit{Max: 1000, Within: 10 * time.Second},
		Backoff: supervise.Backoff{Min: 50 * time.Millisecond, Max: 2 * time.Second},
		Children: []supervise.Spec{{
			Name: snapshot.Name, Kind: "snapshot", Note: "JPEGs of what viewers see",
			New: snapshot.New(snapshot.Options{
				Slots: t.Processing.Slots, Limits: t.Processing.Limits, Processing: t.metrics.process,
				Isolation: isolation,
			}),
		}},
	}
}

// process makes the pictures of one rendition.
func (t *tree) process(
	key string, epoch uint64, name string, rendition settings.Rendition,
) supervise.Spec {
	broadcast := broadcastName(key, epoch)
	return supervise.Spec{
		Name: gate.WorkerName(name), Kind: "process", Mailbox: sourceMailbox,
		Note: "decodes, filters and encodes one rendition",
		New: process.New(process.Options{
			Key: key, Epoch: epoch, Name: name, Rendition: rendition,
			Source: t.pid(broadcastsName, broadcast, sourceName),
			Gate:   t.pid(broadcastsName, broadcast, gate.Name),
			Slots:  t.Processing.Slots, Limits: t.Processing.Limits, Preset: t.Processing.Preset,
			Isolation: t.Processing.Isolation, Drills: t.Processing.Drills, Metrics: t.metrics.process,
		}),
	}
}
