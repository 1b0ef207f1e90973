// Package export_sporegate_gateway_disconnect_handler is what the generated export calls.
package export_sporegate_gateway_disconnect_handler

import (
	. "sporegate/internal/bindings/listener/imports/sporegate_gateway_disconnect_handler"
	"sporegate/internal/call"
	witTypes "sporegate/internal/wit/types"
)

// Handler is set by package sporegate.
var Handler func(event DisconnectEvent) error

// OnDisconnect calls it.
func OnDisconnect(event DisconnectEvent) witTypes.Result[witTypes.Unit, string] {
	if err := Handler(event); err != nil {
		return witTypes.Err[witTypes.Unit](call.Text(err))
	}
	return witTypes.Ok[witTypes.Unit, string](witTypes.Unit{})
}
