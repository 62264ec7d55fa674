package directory

import "strings"

// backup is behind the key in the name of a backup publisher's broadcast. No key has an @: nobody
// publishes or watches by that name, and the cluster is not told of it as of a broadcast.
const backup = "@backup"

// Beside is the name of the broadcast of a key's backup publisher. This node grants its epochs by
// itself.
func Beside(key string) string { return key + backup }

// BackupOf is the key whose backup publisher's broadcast a name is, if it is one.
func BackupOf(name string) (key string, is bool) { return strings.CutSuffix(name, backup) }

// private reports whether a key is this node's own affair.
func (e *entry) private() bool {
	_, is := BackupOf(e.key)
	return is
}

// Join asks the registrar what a publisher who calls himself a backup is to be. The answer is a
// *Joined or an *Unjoined.
type Join struct{ Key string }

// Joined says that he is a backup, or that he claims the key as everybody does.
type Joined struct {
	Key string
	// Node is the active one, "" if there is none: the publisher claims the key. What is commanded
	// of the key there has been told to this node's settings before.
	Node string
	// Epoch is the active's.
	Epoch uint64
}

// Unjoined says why he is not taken: it is for the publisher to read.
type Unjoined struct{ Key, Reason string }

// Backup tells the registrar that the broadcast of a key's backup publisher is here, at each change
// and again after a restart of either; Epoch is that broadcast's own.
type Backup struct {
	Key        string
	Epoch      uint64
	Publishing bool
}

// NoBackup tells that it is not any more.
type NoBackup struct {
	Key   string
	Epoch uint64
}

// said is what the registrar is told of a key that is here, or not any more.
func (e *entry) said(now told) any {
	key, private := BackupOf(e.key)
	switch {
	case private && now.here:
		return &Backup{Key: key, Epoch: now.epoch, Publishing: now.publishing}
	case private:
		return &NoBackup{Key: key, Epoch: e.told.epoch}
	case now.here:
		return &Here{Key: key, Epoch: now.epoch, Publishing: now.publishing}
	}
	return &NotHere{Key: key, Epoch: e.told.epoch}
}
