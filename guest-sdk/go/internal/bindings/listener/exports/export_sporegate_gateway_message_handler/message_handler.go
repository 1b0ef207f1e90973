// Package export_sporegate_gateway_message_handler is what the generated export calls.
package export_sporegate_gateway_message_handler

import (
	. "sporegate/internal/bindings/listener/imports/sporegate_gateway_message_handler"
	"sporegate/internal/call"
	witTypes "sporegate/internal/wit/types"
)

// Handler is set by package sporegate. It says whether the message stops here.
var Handler func(event MessageEvent) (stop bool, err error)

// OnMessage calls it.
func OnMessage(event MessageEvent) witTypes.Result[Outcome, string] {
	stop, err := Handler(event)
	if err != nil {
		return witTypes.Err[Outcome](call.Text(err))
	}
	if stop {
		return witTypes.Ok[Outcome, string](Outcome_Stop)
	}
	return witTypes.Ok[Outcome, string](Outcome_Proceed)
}
