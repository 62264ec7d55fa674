package supervise

import "github.com/asynkron/protoactor-go/actor"

// Outbox is what a machine has its actor send, so that the machine itself sends nothing.
type Outbox struct{ out []Outgoing }

// Outgoing is a message to be sent.
type Outgoing struct {
	To  *actor.PID
	Msg any
}

// Send adds a message, unless there is nobody to get it.
func (o *Outbox) Send(to *actor.PID, msg any) {
	if to != nil {
		o.out = append(o.out, Outgoing{to, msg})
	}
}

// Take returns the messages added since the last Take, in order.
func (o *Outbox) Take() []Outgoing {
	out := o.out
	o.out = nil
	return out
}
