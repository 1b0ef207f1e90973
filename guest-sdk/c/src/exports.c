/* From the exports of the component to the functions of the listener. */
#include "arena.h"
#include "convert.h"

typedef exports_sporegate_gateway_message_handler_message_event_t message_event;
typedef exports_sporegate_gateway_disconnect_handler_disconnect_event_t disconnect_event;
typedef exports_sporegate_gateway_message_handler_outcome_t outcome;

static void begin(void) {
    sporegate_arena_begin();
    sporegate_forget_error();
}

/* Whether it is no error; else `error` is why. */
static bool end(sporegate_result result, listener_string_t *error) {
    bool ok = result != SPOREGATE_FAILED;
    if (!ok) {
        *error = string_of(sporegate_why());
    }
    sporegate_arena_end();
    return ok;
}

bool exports_sporegate_gateway_lifecycle_start(listener_string_t *error) {
    begin();
    return end(sporegate_start(), error);
}

static sporegate_payload payload_of(const sporegate_gateway_types_payload_t *message) {
    if (message->tag == SPOREGATE_GATEWAY_TYPES_PAYLOAD_TEXT) {
        return (sporegate_payload){SPOREGATE_TEXT, str_of(message->val.text)};
    }
    listener_list_u8_t bytes = message->val.binary;
    return (sporegate_payload){SPOREGATE_BINARY, {(const char *)bytes.ptr, bytes.len}};
}

static const sporegate_param *params_of(listener_list_tuple2_string_string_t pairs) {
    sporegate_param *params = NULL;
    if (pairs.len > 0) {
        params = sporegate_alloc(pairs.len * sizeof *params);
    }
    for (size_t i = 0; i < pairs.len; i++) {
        params[i] = (sporegate_param){str_of(pairs.ptr[i].f0), str_of(pairs.ptr[i].f1)};
    }
    return params;
}

bool exports_sporegate_gateway_message_handler_on_message(message_event *message, outcome *outcome,
                                                          listener_string_t *error) {
    begin();
    sporegate_message_event event = {
        .listener = str_of(message->listener),
        .client = sporegate_client_of(&message->client),
        .message = payload_of(&message->message),
        .path_params = params_of(message->path_params),
        .path_param_count = message->path_params.len,
        .sequence = message->sequence,
        .received_at_ms = message->received_at_ms,
        .traceparent = str_or_none(message->traceparent),
    };
    sporegate_result result = sporegate_on_message(&event);
    *outcome = result == SPOREGATE_STOP ? EXPORTS_SPOREGATE_GATEWAY_MESSAGE_HANDLER_OUTCOME_STOP
                                        : EXPORTS_SPOREGATE_GATEWAY_MESSAGE_HANDLER_OUTCOME_PROCEED;
    return end(result, error);
}

bool exports_sporegate_gateway_disconnect_handler_on_disconnect(disconnect_event *disconnect,
                                                                listener_string_t *error) {
    begin();
    sporegate_disconnect_event event = {
        .listener = str_of(disconnect->listener),
        .client = sporegate_client_of(&disconnect->client),
        .code = disconnect->code,
        .reason = str_of(disconnect->reason),
    };
    return end(sporegate_on_disconnect(&event), error);
}

sporegate_str sporegate_path_param(const sporegate_message_event *event, sporegate_str name) {
    for (size_t i = 0; i < event->path_param_count; i++) {
        if (sporegate_equal(event->path_params[i].name, name)) {
            return event->path_params[i].value;
        }
    }
    return (sporegate_str){NULL, 0};
}
