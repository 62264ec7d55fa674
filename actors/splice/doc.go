// Package splice makes one stream of two that an encoder publishes at once, to two origins.
//
// The first origin, the active, gives the broadcast its epoch and its numbers. At the second one,
// the backup, the publisher says so in the name of his stream (live/KEY?role=backup). He gets a
// broadcast tree of his own, under a name and an epoch of its own that nobody is told of. It had
// better be no key (live/KEY@backup), so that nobody publishes or watches it. A pinned edge there
// follows the active, as a standby's does. The splice stands beside that edge's relay: what its own
// publisher sends it gives to the edge's topic, under the active's epoch and numbers, at the
// active's times. The topic drops what it has. So the death of either origin, or of either
// connection, costs nothing, and no time-out is waited for.
//
// # Alignment
//
// The two sides are compared by what units are of (kind, role, and a hash of the bytes) and by the
// difference between their times, which is constant. Where sixteen in a row are the same, and
// nowhere else more than half as many, an own unit's number is the active's less a constant. Each
// unit that comes from both sides afterwards has to fit; one that does not, or an own unit that is
// missing, ends the alignment, and own units are withheld until there is another. No more than 512
// units of either side and 8 MiB are kept for this; what came before is in the ring, or gone.
//
// # Taking over
//
// Where the bytes differ, as each origin processes pictures by itself, or nothing tells units
// apart, as in a still picture without sound, own units take the place of the active's: once the
// mirror has brought nothing for 200 ms while own units came, or at once when its link is gone.
// They go on at the next own IDR picture behind the last picture that was shown, at times that
// never fall, with sound from where it ended. Their numbers begin 256 beyond the active's: somebody
// else may have got more of the active than came here, and must not take an own unit for one that
// he has. A topic does not wait for that many (topic.Patience). There is no way back within the
// epoch, unless the own stream ends: then the active is seen again, if it lives, once its numbers
// are beyond those that were given.
//
// # What has to be so
//
// A constant difference between numbers needs origins that make as many units of the same stream.
// Neither the active nor the backup may add any of its own while there is a backup: data about
// loudness (gate.Machine.Data) has to be off for both (gate.Options.Quiet). Else the sides are
// aligned at no time, and are spliced by taking over.
//
// What the backup's gate lets out is shown at once. A command that hides something holds when it
// holds at the backup's gate too, and not before (settings.Backup). That gate seals its topics when
// a command comes (gate.Options.Backup), and when it holds: what the seal covers and was not given
// is not given any more, and for a while the sides are not aligned, as the two gates change one
// after the other. They are not aligned either while the own pictures are made by that origin
// (gate.Tapped.Made): two encoders may make the same bytes by chance, and not for long.
//
// # What the actor needs
//
// Options.Directory and Options.Own tell where the backup publisher's broadcast is: the actor
// follows that name (directory.Follow), from one of its epochs to the next, and reads the ring of
// the rendition's topic, which the gate names it (gate.Tap). Options.Topic is the pinned edge's
// topic for the same rendition, with a topic.Patience: it gets *topic.Unit and *topic.Seal messages
// as from a relay. Whoever feeds that topic from the active sends what he sends it to the splice
// too, while that holds (Options.Hold): *topic.Unit and *topic.Snapshot messages, and a *gate.Gone
// when there is no way to the active any more. There is a splice for each rendition that is pinned.
// It belongs beside the pin, not below the backup's broadcast: it outlives the backup publisher's
// sessions. A *supervise.Rebind has it ask the directory and the gate anew.
//
// A backup whose active never came has nothing to splice: its publisher has to claim the key
// itself. So he has to when the active is gone and another epoch is to begin.
package splice
