// Package settings holds the actor that keeps what was commanded of each broadcast: what is blurred
// in its picture, whether its sound is muted, which renditions it has.
//
// Settings belong to a key and not to a connection: they outlive the publisher's reconnects, the
// restarts of everything that carries them out, and hold from the first picture of whoever
// publishes the key next. A command has an ID, so that one which is sent twice is carried out once.
package settings
