// Package export_sporegate_gateway_lifecycle is what the generated export calls.
package export_sporegate_gateway_lifecycle

import (
	"sporegate/internal/call"
	witTypes "sporegate/internal/wit/types"
)

// Handler is set by package sporegate.
var Handler func() error

// Start calls it.
func Start() witTypes.Result[witTypes.Unit, string] {
	if err := Handler(); err != nil {
		return witTypes.Err[witTypes.Unit](call.Text(err))
	}
	return witTypes.Ok[witTypes.Unit, string](witTypes.Unit{})
}
