// Package export_sporegate_gateway_state_handover is what the generated exports call.
package export_sporegate_gateway_state_handover

import (
	. "sporegate/internal/bindings/handover/imports/sporegate_gateway_state_handover"
	"sporegate/internal/call"
	witTypes "sporegate/internal/wit/types"
)

// Exporter and Importer are set by package stateful.
var (
	Exporter func() (Snapshot, error)
	Importer func(state Snapshot) error
)

// ExportState calls the one.
func ExportState() witTypes.Result[Snapshot, string] {
	state, err := Exporter()
	if err != nil {
		return witTypes.Err[Snapshot](call.Text(err))
	}
	return witTypes.Ok[Snapshot, string](state)
}

// ImportState calls the other.
func ImportState(state Snapshot) witTypes.Result[witTypes.Unit, string] {
	if err := Importer(state); err != nil {
		return witTypes.Err[witTypes.Unit](call.Text(err))
	}
	return witTypes.Ok[witTypes.Unit, string](witTypes.Unit{})
}
