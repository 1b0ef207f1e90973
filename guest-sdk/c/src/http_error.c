#include "http.h"

#define NAME(code, name) [WASI_HTTP_TYPES_ERROR_CODE_##code] = name

static const char *const NAMES[] = {
    NAME(DNS_TIMEOUT, "DNS-timeout"),
    NAME(DNS_ERROR, "DNS-error"),
    NAME(DESTINATION_NOT_FOUND, "destination-not-found"),
    NAME(DESTINATION_UNAVAILABLE, "destination-unavailable"),
    NAME(DESTINATION_IP_PROHIBITED, "destination-IP-prohibited"),
    NAME(DESTINATION_IP_UNROUTABLE, "destination-IP-unroutable"),
    NAME(CONNECTION_REFUSED, "connection-refused"),
    NAME(CONNECTION_TERMINATED, "connection-terminated"),
    NAME(CONNECTION_TIMEOUT, "connection-timeout"),
    NAME(CONNECTION_READ_TIMEOUT, "connection-read-timeout"),
    NAME(CONNECTION_WRITE_TIMEOUT, "connection-write-timeout"),
    NAME(CONNECTION_LIMIT_REACHED, "connection-limit-reached"),
    NAME(TLS_PROTOCOL_ERROR, "TLS-protocol-error"),
    NAME(TLS_CERTIFICATE_ERROR, "TLS-certificate-error"),
    NAME(TLS_ALERT_RECEIVED, "TLS-alert-received"),
    NAME(HTTP_REQUEST_DENIED, "HTTP-request-denied"),
    NAME(HTTP_REQUEST_LENGTH_REQUIRED, "HTTP-request-length-required"),
    NAME(HTTP_REQUEST_BODY_SIZE, "HTTP-request-body-size"),
    NAME(HTTP_REQUEST_METHOD_INVALID, "HTTP-request-method-invalid"),
    NAME(HTTP_REQUEST_URI_INVALID, "HTTP-request-URI-invalid"),
    NAME(HTTP_REQUEST_URI_TOO_LONG, "HTTP-request-URI-too-long"),
    NAME(HTTP_REQUEST_HEADER_SECTION_SIZE, "HTTP-request-header-section-size"),
    NAME(HTTP_REQUEST_HEADER_SIZE, "HTTP-request-header-size"),
    NAME(HTTP_REQUEST_TRAILER_SECTION_SIZE, "HTTP-request-trailer-section-size"),
    NAME(HTTP_REQUEST_TRAILER_SIZE, "HTTP-request-trailer-size"),
    NAME(HTTP_RESPONSE_INCOMPLETE, "HTTP-response-incomplete"),
    NAME(HTTP_RESPONSE_HEADER_SECTION_SIZE, "HTTP-response-header-section-size"),
    NAME(HTTP_RESPONSE_HEADER_SIZE, "HTTP-response-header-size"),
    NAME(HTTP_RESPONSE_BODY_SIZE, "HTTP-response-body-size"),
    NAME(HTTP_RESPONSE_TRAILER_SECTION_SIZE, "HTTP-response-trailer-section-size"),
    NAME(HTTP_RESPONSE_TRAILER_SIZE, "HTTP-response-trailer-size"),
    NAME(HTTP_RESPONSE_TRANSFER_CODING, "HTTP-response-transfer-coding"),
    NAME(HTTP_RESPONSE_CONTENT_CODING, "HTTP-response-content-coding"),
    NAME(HTTP_RESPONSE_TIMEOUT, "HTTP-response-timeout"),
    NAME(HTTP_UPGRADE_FAILED, "HTTP-upgrade-failed"),
    NAME(HTTP_PROTOCOL_ERROR, "HTTP-protocol-error"),
    NAME(LOOP_DETECTED, "loop-detected"),
    NAME(CONFIGURATION_ERROR, "configuration-error"),
    NAME(INTERNAL_ERROR, "internal-error"),
};

static sporegate_str detail_of(const wasi_http_types_error_code_t *error) {
    switch (error->tag) {
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR:
        return str_or_none(error->val.dns_error.rcode);
    case WASI_HTTP_TYPES_ERROR_CODE_TLS_ALERT_RECEIVED:
        return str_or_none(error->val.tls_alert_received.alert_message);
    case WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR:
        return str_or_none(error->val.internal_error);
    default:
        return (sporegate_str){NULL, 0};
    }
}

sporegate_result sporegate_http_fail(const wasi_http_types_error_code_t *error) {
    sporegate_buf text = {0};
    sporegate_add(&text, sporegate_str_of(NAMES[error->tag]));
    sporegate_str detail = detail_of(error);
    if (detail.ptr != NULL) {
        sporegate_add(&text, SPOREGATE_STR(": "));
        sporegate_add(&text, detail);
    }
    bool denied = error->tag == WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED ||
                  error->tag == WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED;
    return sporegate_fail_with(denied ? SPOREGATE_DENIED : SPOREGATE_OTHER, sporegate_view(&text));
}

sporegate_result sporegate_http_fail_stream(wasi_io_error_own_error_t error) {
    wasi_io_error_borrow_error_t borrowed = wasi_io_error_borrow_error(error);
    wasi_http_types_error_code_t code;
    if (wasi_http_types_http_error_code(borrowed, &code)) {
        sporegate_http_fail(&code);
    } else {
        listener_string_t text;
        wasi_io_error_method_error_to_debug_string(borrowed, &text);
        sporegate_fail(str_of(text));
    }
    wasi_io_error_error_drop_own(error);
    return SPOREGATE_FAILED;
}
