package sporegate

import "errors"

// Outcome says whether other listeners see the message too.
type Outcome uint8

const (
	// Proceed lets listeners of lower priority see the message, too.
	Proceed Outcome = iota
	// Stop keeps it from them.
	Stop
)

// Listener is what a module has to do.
type Listener interface {
	// Start is the first call on every new instance: it adds listeners and makes what they need. An
	// error rejects the module, and the revision before it keeps serving.
	Start() error
	// OnMessage gets the messages that match. Those of one client come in order, one at a time.
	OnMessage(event *MessageEvent) (Outcome, error)
}

// DisconnectListener is a Listener that wants to know who left; see ListenForDisconnects.
type DisconnectListener interface {
	// OnDisconnect is called once for each client, after it left every query.
	OnDisconnect(event *DisconnectEvent) error
}

var exported Listener

// Export makes a listener that of the module. Call it once, in an init function.
func Export(listener Listener) {
	if listener == nil {
		panic("sporegate.Export: the listener is nil")
	}
	if exported != nil {
		panic("sporegate.Export: a module has one listener, and it has one already")
	}
	exported = listener
}

var errNotExported = errors.New("no listener is exported: call sporegate.Export in an init function")

func start() error {
	if exported == nil {
		return errNotExported
	}
	return exported.Start()
}

func onMessage(event *MessageEvent) (Outcome, error) {
	if exported == nil {
		return Proceed, errNotExported
	}
	return exported.OnMessage(event)
}

func onDisconnect(event *DisconnectEvent) error {
	if listener, ok := exported.(DisconnectListener); ok {
		return listener.OnDisconnect(event)
	}
	return nil
}
