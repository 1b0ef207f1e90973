#include "convert.h"

static sporegate_gateway_types_payload_t message_of(sporegate_payload payload) {
    sporegate_gateway_types_payload_t message;
    listener_string_t data = string_of(payload.data);
    if (payload.kind == SPOREGATE_TEXT) {
        message.tag = SPOREGATE_GATEWAY_TYPES_PAYLOAD_TEXT;
        message.val.text = data;
    } else {
        message.tag = SPOREGATE_GATEWAY_TYPES_PAYLOAD_BINARY;
        message.val.binary = (listener_list_u8_t){data.ptr, data.len};
    }
    return message;
}

/* What is no UTF-8 would end the instance where it leaves the module. */
static sporegate_result no_text(void) {
    return sporegate_fail_with(SPOREGATE_INVALID_ARGUMENT,
                               SPOREGATE_STR("invalid-argument: text: it is not UTF-8"));
}

static bool is_sendable(sporegate_payload payload) {
    return payload.kind != SPOREGATE_TEXT || sporegate_is_utf8(payload.data);
}

static bool is_audience(sporegate_audience to) {
    if (to.kind != SPOREGATE_TO_IDS) {
        return sporegate_is_utf8(to.name);
    }
    for (size_t i = 0; i < to.id_count; i++) {
        if (!sporegate_is_utf8(to.ids[i])) {
            return false;
        }
    }
    return true;
}

sporegate_result sporegate_send(sporegate_str client_id, sporegate_payload payload) {
    if (!sporegate_is_utf8(client_id) || !is_sendable(payload)) {
        return no_text();
    }
    listener_string_t id = string_of(client_id);
    sporegate_gateway_types_payload_t message = message_of(payload);
    sporegate_gateway_types_error_t error;
    return sporegate_result_of(sporegate_gateway_clients_send_message(&id, &message, &error),
                               &error);
}

sporegate_result sporegate_send_text(sporegate_str client_id, sporegate_str text) {
    return sporegate_send(client_id, (sporegate_payload){SPOREGATE_TEXT, text});
}

sporegate_result sporegate_reply(const sporegate_message_event *event, sporegate_payload message) {
    return sporegate_send(event->client.id, message);
}

sporegate_result sporegate_reply_text(const sporegate_message_event *event, sporegate_str text) {
    return sporegate_send_text(event->client.id, text);
}

sporegate_audience sporegate_on_path(sporegate_str path_or_pattern) {
    return (sporegate_audience){.kind = SPOREGATE_TO_PATH, .name = path_or_pattern};
}

sporegate_audience sporegate_of_user(sporegate_str username) {
    return (sporegate_audience){.kind = SPOREGATE_TO_USER, .name = username};
}

sporegate_audience sporegate_with_role(sporegate_str role) {
    return (sporegate_audience){.kind = SPOREGATE_TO_ROLE, .name = role};
}

sporegate_audience sporegate_with_ids(const sporegate_str *ids, size_t count) {
    return (sporegate_audience){.kind = SPOREGATE_TO_IDS, .ids = ids, .id_count = count};
}

static sporegate_gateway_clients_list_client_id_t ids_of(const sporegate_str *ids, size_t count) {
    listener_list_string_t strings = sporegate_strings_of(ids, count);
    return (sporegate_gateway_clients_list_client_id_t){strings.ptr, strings.len};
}

static sporegate_gateway_clients_audience_t audience_of(sporegate_audience to) {
    sporegate_gateway_clients_audience_t audience;
    switch (to.kind) {
    case SPOREGATE_TO_USER:
        audience.tag = SPOREGATE_GATEWAY_CLIENTS_AUDIENCE_USER;
        audience.val.user = string_of(to.name);
        break;
    case SPOREGATE_TO_ROLE:
        audience.tag = SPOREGATE_GATEWAY_CLIENTS_AUDIENCE_ROLE;
        audience.val.role = string_of(to.name);
        break;
    case SPOREGATE_TO_IDS:
        audience.tag = SPOREGATE_GATEWAY_CLIENTS_AUDIENCE_IDS;
        audience.val.ids = ids_of(to.ids, to.id_count);
        break;
    default:
        audience.tag = SPOREGATE_GATEWAY_CLIENTS_AUDIENCE_PATH;
        audience.val.path = string_of(to.name);
    }
    return audience;
}

sporegate_result sporegate_broadcast(sporegate_audience to, sporegate_payload payload,
                                     const sporegate_str *except, size_t except_count,
                                     uint64_t *reached) {
    if (!is_audience(to) || !is_sendable(payload) || !is_audience(sporegate_with_ids(except, except_count))) {
        return no_text();
    }
    sporegate_gateway_clients_audience_t audience = audience_of(to);
    sporegate_gateway_types_payload_t message = message_of(payload);
    sporegate_gateway_clients_list_client_id_t left_out = ids_of(except, except_count);
    sporegate_gateway_types_error_t error;
    uint64_t count = 0;
    bool ok = sporegate_gateway_clients_broadcast(&audience, &message, &left_out, &count, &error);
    if (ok && reached != NULL) {
        *reached = count;
    }
    return sporegate_result_of(ok, &error);
}

sporegate_result sporegate_broadcast_text(sporegate_audience to, sporegate_str text) {
    return sporegate_broadcast(to, (sporegate_payload){SPOREGATE_TEXT, text}, NULL, 0, NULL);
}

sporegate_result sporegate_close(sporegate_str client_id, uint16_t code, sporegate_str reason) {
    if (!sporegate_is_utf8(client_id) || !sporegate_is_utf8(reason)) {
        return no_text();
    }
    listener_string_t id = string_of(client_id), why = string_of(reason);
    sporegate_gateway_types_error_t error;
    return sporegate_result_of(sporegate_gateway_clients_close(&id, code, &why, &error), &error);
}

sporegate_result sporegate_flush(void) {
    sporegate_gateway_types_error_t error;
    return sporegate_result_of(sporegate_gateway_clients_flush(&error), &error);
}
