#include "http.h"

#include "arena.h"

#define CHUNK_BYTES (16 << 10)

typedef wasi_http_types_own_outgoing_request_t request;
typedef wasi_http_types_own_incoming_response_t response;

static bool fill(request made, const http_url *url) {
    wasi_http_types_borrow_outgoing_request_t it = wasi_http_types_borrow_outgoing_request(made);
    wasi_http_types_scheme_t scheme = {
        .tag = url->secure ? WASI_HTTP_TYPES_SCHEME_HTTPS : WASI_HTTP_TYPES_SCHEME_HTTP};
    listener_string_t authority = string_of(url->authority);
    listener_string_t path = string_of(url->path_with_query);
    return wasi_http_types_method_outgoing_request_set_scheme(it, &scheme) &&
           wasi_http_types_method_outgoing_request_set_authority(it, &authority) &&
           wasi_http_types_method_outgoing_request_set_path_with_query(it, &path);
}

/* Sends the request, which it takes, and waits for the head of the answer. */
static bool answer_to(request made, response *answer) {
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_error_code_t error;
    if (!wasi_http_outgoing_handler_handle(made, NULL, &future, &error)) {
        return sporegate_http_fail(&error);
    }
    wasi_http_types_borrow_future_incoming_response_t it =
        wasi_http_types_borrow_future_incoming_response(future);
    wasi_io_poll_own_pollable_t ready =
        wasi_http_types_method_future_incoming_response_subscribe(it);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
    wasi_io_poll_pollable_drop_own(ready);
    wasi_http_types_result_result_own_incoming_response_error_code_void_t got;
    bool there = wasi_http_types_method_future_incoming_response_get(it, &got) && !got.is_err;
    wasi_http_types_future_incoming_response_drop_own(future);
    if (!there) {
        return sporegate_fail(SPOREGATE_STR("the gateway gave no answer to the request"));
    }
    if (got.val.ok.is_err) {
        return sporegate_http_fail(&got.val.ok.val.err);
    }
    *answer = got.val.ok.val.ok;
    return true;
}

static bool read_stream(wasi_io_streams_borrow_input_stream_t stream,
                        const sporegate_http_handler *handler) {
    void *buffer = sporegate_alloc(CHUNK_BYTES);
    for (;;) {
        listener_list_u8_t bytes;
        wasi_io_streams_stream_error_t error;
        sporegate_arena_lend(buffer, CHUNK_BYTES);
        bool ok = wasi_io_streams_method_input_stream_blocking_read(stream, CHUNK_BYTES, &bytes,
                                                                    &error);
        sporegate_arena_lend(NULL, 0);
        if (!ok) {
            return error.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED ||
                   sporegate_http_fail_stream(error.val.last_operation_failed);
        }
        sporegate_str chunk = {(const char *)bytes.ptr, bytes.len};
        if (chunk.len > 0 && handler->on_chunk != NULL &&
            !handler->on_chunk(handler->context, chunk)) {
            return false;
        }
    }
}

/* Children are dropped before what they are of. */
static bool read_body(response answer, const sporegate_http_handler *handler) {
    wasi_http_types_own_incoming_body_t body;
    wasi_http_types_own_input_stream_t stream;
    if (!wasi_http_types_method_incoming_response_consume(
            wasi_http_types_borrow_incoming_response(answer), &body)) {
        return sporegate_fail(SPOREGATE_STR("the answer has no body"));
    }
    bool ok = wasi_http_types_method_incoming_body_stream(
        wasi_http_types_borrow_incoming_body(body), &stream);
    if (ok) {
        ok = read_stream(wasi_io_streams_borrow_input_stream(stream), handler);
        wasi_io_streams_input_stream_drop_own(stream);
    } else {
        sporegate_fail(SPOREGATE_STR("the body of the answer cannot be read"));
    }
    wasi_http_types_incoming_body_drop_own(body);
    return ok;
}

sporegate_result sporegate_http_get(sporegate_str url_text, const sporegate_http_handler *handler) {
    http_url url;
    if (!sporegate_http_url(url_text, &url)) {
        return SPOREGATE_FAILED;
    }
    request made = wasi_http_types_constructor_outgoing_request(wasi_http_types_constructor_fields());
    if (!fill(made, &url)) {
        wasi_http_types_outgoing_request_drop_own(made);
        return sporegate_fail_with(
            SPOREGATE_INVALID_ARGUMENT,
            SPOREGATE_STR("invalid-argument: the URL has characters that none may have"));
    }
    response answer;
    if (!answer_to(made, &answer)) {
        return SPOREGATE_FAILED;
    }
    uint16_t status = wasi_http_types_method_incoming_response_status(
        wasi_http_types_borrow_incoming_response(answer));
    bool ok = handler->on_status == NULL || handler->on_status(handler->context, status);
    ok = ok && read_body(answer, handler);
    wasi_http_types_incoming_response_drop_own(answer);
    return ok ? SPOREGATE_OK : SPOREGATE_FAILED;
}
