// Package gate holds the one place of a broadcast that decides what leaves it.
//
// The gate follows the topic of what the publisher sends and is given what the process actors make
// of it; it feeds the topics that edges follow: the public one, and one for each rendition of the
// ladder. Where nothing has to be hidden the public topic gets the publisher's own units,
// untouched.
//
// It fails closed. Once a blur is acknowledged for a time, no picture at or after that time passes
// unless it was filtered under the settings that demand it: the publisher's own pictures do not
// pass at all, and what a process actor sends has to state the version of the settings that it was
// filtered under. Whatever goes wrong with the processing, viewers keep the last clean picture.
//
// The decisions are those of Machine, which is a plain value and outlives the actor's restarts.
package gate
