package gate

import "github.com/asynkron/protoactor-go/actor"

// Subscribe asks for the units of a rendition; the subscriber gets a *topic.Snapshot and then
// *topic.Unit messages of its topic, as soon as there is one. Whoever subscribes to another
// rendition has left the first.
type Subscribe struct {
	// Rendition is a rendition's name, "" the public one's.
	Rendition  string
	Subscriber *actor.PID
}

// Unsubscribe ends a subscription.
type Unsubscribe struct{ Subscriber *actor.PID }

// pulse is the time to look at who had to answer by now.
type pulse struct{ of *gate }
