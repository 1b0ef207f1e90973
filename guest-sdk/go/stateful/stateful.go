// Package stateful is for listeners that keep their memory across a hot swap. Whoever imports it
// must call its Export, in the place of that of package sporegate.
package stateful

import (
	"encoding/json"
	"errors"
	"fmt"

	"sporegate"
)

// Snapshot is state on its way from one revision of a module to the next.
type Snapshot struct {
	// Schema is the version of what Data is made of, as the module counts it.
	Schema uint32
	// MediaType says how Data is written.
	MediaType string
	Data      []byte
}

// Listener is a listener with state.
type Listener interface {
	sporegate.Listener
	// ExportState is called on the old revision when it is idle. It must not change the state: the
	// revision goes on if the swap is abandoned.
	ExportState() (Snapshot, error)
	// ImportState is called on the new revision after Start. An error abandons the swap.
	ImportState(state Snapshot) error
}

const jsonType = "application/json"

var exported Listener

// Export makes a listener that of the module. Call it once, in an init function.
func Export(listener Listener) {
	sporegate.Export(listener)
	exported = listener
}

// JSON is a snapshot of what encoding/json writes of a value.
func JSON(schema uint32, state any) (Snapshot, error) {
	data, err := json.Marshal(state)
	return Snapshot{schema, jsonType, data}, err
}

// Decode reads a snapshot that JSON made; an error if it has another schema.
func (s Snapshot) Decode(schema uint32, state any) error {
	if s.Schema != schema || s.MediaType != jsonType {
		return fmt.Errorf("the state has schema %d and type %s, and not %d and %s",
			s.Schema, s.MediaType, schema, jsonType)
	}
	if err := json.Unmarshal(s.Data, state); err != nil {
		return fmt.Errorf("the state: %w", err)
	}
	return nil
}

var errNotExported = errors.New("no listener with state is exported: call stateful.Export in an init function")

func exportState() (Snapshot, error) {
	if exported == nil {
		return Snapshot{}, errNotExported
	}
	return exported.ExportState()
}

func importState(state Snapshot) error {
	if exported == nil {
		return errNotExported
	}
	return exported.ImportState(state)
}
