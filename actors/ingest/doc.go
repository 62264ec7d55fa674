// Package ingest owns publishers: the actor that holds one publisher's connection turns its RTMP
// messages into access units and hands them to the broadcast's topic.
//
// The actor is temporary. It is gone with its socket, and its topic waits for the publisher to come
// back under the next epoch.
package ingest
