// Package sporegate is for writing listeners of the Sporegate WebSocket gateway in Go.
//
// A listener is a type with two methods, exported when the module is initialised:
//
//	type echo struct{}
//
//	func (echo) Start() error {
//		return sporegate.Match("").Listen("echo")
//	}
//
//	func (echo) OnMessage(event *sporegate.MessageEvent) (sporegate.Outcome, error) {
//		return sporegate.Stop, event.Reply(event.Message)
//	}
//
//	func init() { sporegate.Export(echo{}) }
//
//	func main() {} // never called: a module has no beginning and no end of its own
//
// What a call sends leaves when it returns nil as its error. After an error or a panic it is as if
// the call had not happened; an error is told in the log of the gateway and the listener goes on, a
// panic ends the instance, and its message and stack are in the module's log.
//
// What is printed, and what is given to log or log/slog, goes to the module's log.
package sporegate
