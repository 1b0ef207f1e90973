/* From the exports of the handover to the functions of the listener. */
#ifdef SPOREGATE_STATEFUL

#include "../bindings/handover.h"
#include "arena.h"
#include "convert.h"

typedef exports_sporegate_gateway_state_handover_snapshot_t snapshot;

static bool end(sporegate_result result, handover_string_t *error) {
    bool ok = result != SPOREGATE_FAILED;
    if (!ok) {
        listener_string_t why = string_of(sporegate_why());
        *error = (handover_string_t){why.ptr, why.len};
    }
    sporegate_arena_end();
    return ok;
}

bool exports_sporegate_gateway_state_handover_export_state(snapshot *out, handover_string_t *error) {
    sporegate_arena_begin();
    sporegate_forget_error();
    sporegate_snapshot state = {0};
    sporegate_result result = sporegate_export_state(&state);
    listener_string_t media_type = string_of(state.media_type), data = string_of(state.data);
    *out = (snapshot){
        .schema = state.schema,
        .media_type = {media_type.ptr, media_type.len},
        .data = {data.ptr, data.len},
    };
    return end(result, error);
}

bool exports_sporegate_gateway_state_handover_import_state(snapshot *in, handover_string_t *error) {
    sporegate_arena_begin();
    sporegate_forget_error();
    sporegate_snapshot state = {
        .schema = in->schema,
        .media_type = {(const char *)in->media_type.ptr, in->media_type.len},
        .data = {(const char *)in->data.ptr, in->data.len},
    };
    return end(sporegate_import_state(&state), error);
}

#endif
