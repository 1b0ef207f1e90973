#include "fake.h"

char fake_log[8192];
int fake_error = -1, fake_body_error = -1, fake_request_error = -1, fake_handles;
const char *fake_error_text = "because", *fake_service;
const char *const *fake_body;
static size_t next_piece;

void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t new_size);

void fake_reset(void) {
    fake_log[0] = '\0';
    fake_error = fake_body_error = fake_request_error = -1;
    fake_service = NULL;
    fake_body = NULL;
    next_piece = 0;
}

static void say(const char *what, const void *bytes, size_t len) {
    size_t used = strlen(fake_log);
    assert(used + strlen(what) + len + 4 < sizeof fake_log);
    snprintf(fake_log + used, sizeof fake_log - used, "%s %.*s\n", what, (int)len,
             len > 0 ? (const char *)bytes : "");
}

static void say_string(const char *what, const listener_string_t *text) {
    say(what, text->ptr, text->len);
}

bool fake_did(const char *expected) {
    bool same = strcmp(fake_log, expected) == 0;
    if (!same) {
        fprintf(stderr, "expected:\n%sfound:\n%s", expected, fake_log);
    }
    fake_log[0] = '\0';
    return same;
}

/* In memory of the module, as the gateway gives it. */
static listener_string_t give_bytes(const char *bytes, size_t len) {
    listener_string_t given = {cabi_realloc(NULL, 0, 1, len), len};
    if (len > 0) {
        memcpy(given.ptr, bytes, len);
    }
    return given;
}

static listener_string_t give(const char *text) {
    return give_bytes(text, strlen(text));
}

static bool result(sporegate_gateway_types_error_t *error) {
    if (fake_error < 0) {
        return true;
    }
    error->tag = (uint8_t)fake_error;
    if (fake_error == SPOREGATE_GATEWAY_TYPES_ERROR_TOO_LARGE) {
        error->val.too_large = 4096;
    } else if (fake_error > SPOREGATE_GATEWAY_TYPES_ERROR_TOO_LARGE) {
        error->val.other = give(fake_error_text);
    }
    return false;
}

static sporegate_gateway_types_client_t client_of(const char *id) {
    sporegate_gateway_types_client_t client = {give(id), give("/chat/tea"), {true, give(id)}, {0}};
    if (strcmp(id, "anonymous") == 0) {
        client.username.is_some = false;
    }
    client.roles.len = 1;
    client.roles.ptr = cabi_realloc(NULL, 0, sizeof(void *), sizeof(listener_string_t));
    client.roles.ptr[0] = give("editor");
    return client;
}

static char *why;

static const char *outcome(bool ok, const listener_string_t *error) {
    free(why);
    why = NULL;
    if (!ok) {
        why = calloc(error->len + 1, 1);
        memcpy(why, error->ptr, error->len);
    }
    return why;
}

const char *fake_start(void) {
    listener_string_t error;
    return outcome(exports_sporegate_gateway_lifecycle_start(&error), &error);
}

const char *fake_message(const char *client, const char *text, size_t len, bool binary) {
    exports_sporegate_gateway_message_handler_message_event_t event = {
        .listener = give("any"), .client = client_of(client), .sequence = 7};
    event.message.tag = binary;
    event.message.val.text = give_bytes(text, len);
    event.path_params.len = 1;
    event.path_params.ptr = cabi_realloc(NULL, 0, 8, sizeof *event.path_params.ptr);
    event.path_params.ptr[0] = (listener_tuple2_string_string_t){give("room"), give("tea")};
    uint8_t stop;
    listener_string_t error;
    bool ok = exports_sporegate_gateway_message_handler_on_message(&event, &stop, &error);
    assert(!ok || stop == EXPORTS_SPOREGATE_GATEWAY_MESSAGE_HANDLER_OUTCOME_STOP);
    return outcome(ok, &error);
}

const char *fake_disconnect(const char *client) {
    exports_sporegate_gateway_disconnect_handler_disconnect_event_t event = {
        .listener = give("any"), .client = client_of(client), .code = 1006, .reason = give("")};
    listener_string_t error;
    bool ok = exports_sporegate_gateway_disconnect_handler_on_disconnect(&event, &error);
    return outcome(ok, &error);
}

/* ---- sporegate:gateway ---- */

bool sporegate_gateway_listeners_add_message_listener(
    listener_string_t *name, sporegate_gateway_listeners_message_matcher_t *matcher,
    int32_t priority, sporegate_gateway_types_error_t *error) {
    (void)priority;
    say_string("listen", name);
    if (matcher->path.is_some) {
        say_string("path", &matcher->path.val);
    }
    for (size_t i = 0; i < matcher->content.len; i++) {
        sporegate_gateway_listeners_content_test_t *test = &matcher->content.ptr[i];
        if (test->tag == SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_JSON) {
            say_string("json", &test->val.json.pointer);
            for (size_t k = 0; test->val.json.test.tag == 2 && k < test->val.json.test.val.one_of.len; k++) {
                say_string("one of", &test->val.json.test.val.one_of.ptr[k]);
            }
        } else {
            say_string("text", &test->val.text_equals);
        }
    }
    return result(error);
}

bool sporegate_gateway_listeners_remove_message_listener(listener_string_t *name,
                                                         sporegate_gateway_types_error_t *error) {
    say_string("unlisten", name);
    return result(error);
}

bool sporegate_gateway_listeners_add_disconnect_listener(listener_string_t *name,
                                                         listener_string_t *path,
                                                         sporegate_gateway_types_error_t *error) {
    say_string("disconnects", name);
    if (path != NULL) {
        say_string("path", path);
    }
    return result(error);
}

bool sporegate_gateway_listeners_remove_disconnect_listener(
    listener_string_t *name, sporegate_gateway_types_error_t *error) {
    say_string("no disconnects", name);
    return result(error);
}

void sporegate_gateway_clients_base_path(listener_string_t *path) {
    *path = give("/websocket");
}

bool sporegate_gateway_clients_get_client(listener_string_t *id,
                                          sporegate_gateway_types_client_t *client) {
    *client = client_of("kim");
    return id->len == 3;
}

/* Three clients on two pages, with an empty one between. */
bool sporegate_gateway_clients_get_clients_on_path(
    listener_string_t *path, listener_string_t *cursor, uint32_t limit,
    sporegate_gateway_clients_tuple2_list_client_option_string_t *page,
    sporegate_gateway_types_error_t *error) {
    (void)path, (void)limit;
    static const char *const ids[3][2] = {{"kim", "anonymous"}, {NULL, NULL}, {"lee", NULL}};
    size_t at = cursor == NULL ? 0 : (size_t)(cursor->ptr[0] - '0');
    page->f0.len = at == 0 ? 2 : at == 1 ? 0 : 1;
    page->f0.ptr = cabi_realloc(NULL, 0, 4, page->f0.len * sizeof *page->f0.ptr);
    for (size_t i = 0; i < page->f0.len; i++) {
        page->f0.ptr[i] = client_of(ids[at][i]);
    }
    page->f1.is_some = at < 2;
    page->f1.val = give(at == 0 ? "1" : "2");
    return result(error);
}

bool sporegate_gateway_clients_get_clients_of_user(
    listener_string_t *user, listener_string_t *cursor, uint32_t limit,
    sporegate_gateway_clients_tuple2_list_client_option_string_t *page,
    sporegate_gateway_types_error_t *error) {
    return sporegate_gateway_clients_get_clients_on_path(user, cursor, limit, page, error);
}

uint64_t sporegate_gateway_clients_get_client_count(void) {
    return 3;
}

bool sporegate_gateway_clients_get_claims(listener_string_t *id, listener_string_t *claims) {
    *claims = give("{}");
    return id->len == 3;
}

bool sporegate_gateway_clients_send_message(listener_string_t *to,
                                            sporegate_gateway_types_payload_t *message,
                                            sporegate_gateway_types_error_t *error) {
    say_string("to", to);
    say_string(message->tag == 0 ? "text" : "binary", &message->val.text);
    return result(error);
}

bool sporegate_gateway_clients_broadcast(sporegate_gateway_clients_audience_t *to,
                                         sporegate_gateway_types_payload_t *message,
                                         sporegate_gateway_clients_list_client_id_t *except,
                                         uint64_t *reached,
                                         sporegate_gateway_types_error_t *error) {
    static const char *const kinds[] = {"ids", "path", "user", "role"};
    if (to->tag == 0) {
        say_string(kinds[0], to->val.ids.ptr);
    } else {
        say_string(kinds[to->tag], &to->val.path);
    }
    for (size_t i = 0; i < except->len; i++) {
        say_string("except", &except->ptr[i]);
    }
    say_string("text", &message->val.text);
    *reached = 2;
    return result(error);
}

bool sporegate_gateway_clients_close(listener_string_t *id, uint16_t code, listener_string_t *reason,
                                     sporegate_gateway_types_error_t *error) {
    assert(code == 1000);
    say_string("close", id);
    say_string("reason", reason);
    return result(error);
}

bool sporegate_gateway_clients_flush(sporegate_gateway_types_error_t *error) {
    say("flush", NULL, 0);
    return result(error);
}

/* ---- wasi:config, wasi:http, wasi:io ---- */

bool wasi_config_store_get(listener_string_t *key, listener_option_string_t *value,
                           wasi_config_store_error_t *error) {
    (void)error;
    say_string("config", key);
    value->is_some = fake_service != NULL;
    value->val = give(fake_service != NULL ? fake_service : "");
    return true;
}

static int32_t opened(void) {
    return ++fake_handles;
}

#define CONSTRUCTOR(type, name) \
    type name { \
        return (type){opened()}; \
    }
#define DROP(type, name) \
    void name(type handle) { \
        (void)handle; \
        fake_handles--; \
    }
#define BORROW(from, to, name) \
    to name(from handle) { \
        return (to){handle.__handle}; \
    }

CONSTRUCTOR(wasi_http_types_own_fields_t, wasi_http_types_constructor_fields(void))
DROP(wasi_http_types_own_outgoing_request_t, wasi_http_types_outgoing_request_drop_own)
DROP(wasi_http_types_own_incoming_response_t, wasi_http_types_incoming_response_drop_own)
DROP(wasi_http_types_own_incoming_body_t, wasi_http_types_incoming_body_drop_own)
DROP(wasi_http_types_own_future_incoming_response_t, wasi_http_types_future_incoming_response_drop_own)
DROP(wasi_io_streams_own_input_stream_t, wasi_io_streams_input_stream_drop_own)
DROP(wasi_io_poll_own_pollable_t, wasi_io_poll_pollable_drop_own)
DROP(wasi_io_error_own_error_t, wasi_io_error_error_drop_own)
BORROW(wasi_http_types_own_outgoing_request_t, wasi_http_types_borrow_outgoing_request_t,
       wasi_http_types_borrow_outgoing_request)
BORROW(wasi_http_types_own_incoming_response_t, wasi_http_types_borrow_incoming_response_t,
       wasi_http_types_borrow_incoming_response)
BORROW(wasi_http_types_own_incoming_body_t, wasi_http_types_borrow_incoming_body_t,
       wasi_http_types_borrow_incoming_body)
BORROW(wasi_http_types_own_future_incoming_response_t,
       wasi_http_types_borrow_future_incoming_response_t,
       wasi_http_types_borrow_future_incoming_response)
BORROW(wasi_io_streams_own_input_stream_t, wasi_io_streams_borrow_input_stream_t,
       wasi_io_streams_borrow_input_stream)
BORROW(wasi_io_poll_own_pollable_t, wasi_io_poll_borrow_pollable_t, wasi_io_poll_borrow_pollable)
BORROW(wasi_io_error_own_error_t, wasi_io_error_borrow_error_t, wasi_io_error_borrow_error)

/* It takes the fields. */
wasi_http_types_own_outgoing_request_t
wasi_http_types_constructor_outgoing_request(wasi_http_types_own_headers_t headers) {
    return (wasi_http_types_own_outgoing_request_t){headers.__handle};
}

bool wasi_http_types_method_outgoing_request_set_scheme(
    wasi_http_types_borrow_outgoing_request_t self, wasi_http_types_scheme_t *scheme) {
    (void)self;
    say(scheme->tag == WASI_HTTP_TYPES_SCHEME_HTTPS ? "https" : "http", NULL, 0);
    return true;
}

bool wasi_http_types_method_outgoing_request_set_authority(
    wasi_http_types_borrow_outgoing_request_t self, listener_string_t *authority) {
    (void)self;
    say_string("authority", authority);
    return true;
}

bool wasi_http_types_method_outgoing_request_set_path_with_query(
    wasi_http_types_borrow_outgoing_request_t self, listener_string_t *path) {
    (void)self;
    say_string("get", path);
    return memchr(path->ptr, ' ', path->len) == NULL;
}

static void fail_with(int code, wasi_http_types_error_code_t *error) {
    error->tag = (uint8_t)code;
    error->val.internal_error = (listener_option_string_t){true, give("broken")};
}

/* It takes the request. */
bool wasi_http_outgoing_handler_handle(wasi_http_types_own_outgoing_request_t request,
                                       wasi_http_types_own_request_options_t *options,
                                       wasi_http_types_own_future_incoming_response_t *future,
                                       wasi_http_types_error_code_t *error) {
    (void)request, (void)options, (void)error;
    *future = (wasi_http_types_own_future_incoming_response_t){fake_handles};
    return true;
}

CONSTRUCTOR(wasi_io_poll_own_pollable_t,
            wasi_http_types_method_future_incoming_response_subscribe(
                wasi_http_types_borrow_future_incoming_response_t self __attribute__((unused))))

void wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable_t self) {
    (void)self;
}

bool wasi_http_types_method_future_incoming_response_get(
    wasi_http_types_borrow_future_incoming_response_t self,
    wasi_http_types_result_result_own_incoming_response_error_code_void_t *got) {
    (void)self;
    got->is_err = false;
    got->val.ok.is_err = fake_request_error >= 0;
    if (got->val.ok.is_err) {
        fail_with(fake_request_error, &got->val.ok.val.err);
    } else {
        got->val.ok.val.ok.__handle = opened();
    }
    return true;
}

uint16_t wasi_http_types_method_incoming_response_status(
    wasi_http_types_borrow_incoming_response_t self) {
    (void)self;
    return 200;
}

bool wasi_http_types_method_incoming_response_consume(
    wasi_http_types_borrow_incoming_response_t self, wasi_http_types_own_incoming_body_t *body) {
    (void)self;
    body->__handle = opened();
    return true;
}

bool wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body_t self,
                                                 wasi_io_streams_own_input_stream_t *stream) {
    (void)self;
    stream->__handle = opened();
    return true;
}

bool wasi_io_streams_method_input_stream_blocking_read(wasi_io_streams_borrow_input_stream_t self,
                                                       uint64_t len, listener_list_u8_t *bytes,
                                                       wasi_io_streams_stream_error_t *error) {
    (void)self;
    const char *piece = fake_body == NULL ? NULL : fake_body[next_piece];
    if (piece == NULL && fake_body_error < 0) {
        error->tag = WASI_IO_STREAMS_STREAM_ERROR_CLOSED;
        return false;
    }
    if (piece == NULL) {
        error->tag = WASI_IO_STREAMS_STREAM_ERROR_LAST_OPERATION_FAILED;
        error->val.last_operation_failed.__handle = opened();
        return false;
    }
    next_piece++;
    assert(strlen(piece) <= len);
    listener_string_t given = give(piece);
    *bytes = (listener_list_u8_t){given.ptr, given.len};
    return true;
}

bool wasi_http_types_http_error_code(wasi_io_error_borrow_error_t self,
                                     wasi_http_types_error_code_t *code) {
    (void)self;
    fail_with(fake_body_error, code);
    return true;
}

void wasi_io_error_method_error_to_debug_string(wasi_io_error_borrow_error_t self,
                                                listener_string_t *text) {
    (void)self;
    *text = give("debug");
}
