package sporegate

import "time"

// MessageEvent is a message that matched.
type MessageEvent struct {
	// Listener is the name under which it was matched.
	Listener string
	// Client is the one who sent it.
	Client  Client
	Message Message
	// Sequence is the number of the message in its session, from 1.
	Sequence   uint64
	ReceivedAt time.Time
	// Traceparent is the trace context of W3C; empty where tracing is off.
	Traceparent string
	pathParams  []pathParam
}

// DisconnectEvent is a client that left.
type DisconnectEvent struct {
	// Listener is the name under which it was listened for.
	Listener string
	// Client is as last known; sending to it gives ErrClosed.
	Client Client
	// Code is the close code; 1006 where the connection was lost.
	Code   uint16
	Reason string
}

type pathParam struct {
	name, value string
}

// PathParam is what `{name}` of the path pattern stands for in the path of the client, and `*` for
// the rest; empty if the pattern has no such part.
func (e *MessageEvent) PathParam(name string) string {
	for _, param := range e.pathParams {
		if param.name == name {
			return param.value
		}
	}
	return ""
}

// Reply sends a message to the client that this one came from.
func (e *MessageEvent) Reply(message Message) error {
	return e.Client.Send(message)
}

// ReplyText does it with a text.
func (e *MessageEvent) ReplyText(text string) error {
	return e.Client.SendText(text)
}

// ReplyJSON does it with a value as JSON text.
func (e *MessageEvent) ReplyJSON(value any) error {
	return e.Client.SendJSON(value)
}
