package stateful

import (
	"strings"
	"testing"
)

func TestAStateIsReadIfItIsOfTheSameSchema(t *testing.T) {
	state, err := JSON(2, map[string]int{"total": 3})
	if err != nil || string(state.Data) != `{"total":3}` {
		t.Fatal(err, state)
	}
	var read struct{ Total int }
	if err := state.Decode(2, &read); err != nil || read.Total != 3 {
		t.Error(err, read)
	}
	for _, wrong := range []Snapshot{{3, jsonType, state.Data}, {2, "text/plain", state.Data}, {2, jsonType, []byte("[")}} {
		if err := wrong.Decode(2, &read); err == nil || !strings.HasPrefix(err.Error(), "the state") {
			t.Error(wrong, err)
		}
	}
}

func TestWithoutAListenerThereIsNoState(t *testing.T) {
	if _, err := exportState(); err != errNotExported {
		t.Error(err)
	}
	if err := importState(Snapshot{}); err != errNotExported {
		t.Error(err)
	}
}
