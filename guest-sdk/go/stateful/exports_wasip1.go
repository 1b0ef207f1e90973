package stateful

import (
	handover "sporegate/internal/bindings/handover/exports/export_sporegate_gateway_state_handover"
	_ "sporegate/internal/bindings/handover/exports/wit_exports"
	"sporegate/internal/bindings/handover/imports/sporegate_gateway_state_handover"
	"sporegate/internal/call"
)

func init() {
	handover.Exporter = func() (sporegate_gateway_state_handover.Snapshot, error) {
		defer call.End()
		state, err := exportState()
		return sporegate_gateway_state_handover.Snapshot(state), err
	}
	handover.Importer = func(state sporegate_gateway_state_handover.Snapshot) error {
		defer call.End()
		return importState(Snapshot(state))
	}
}
