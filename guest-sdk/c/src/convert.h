/* Between the views of the SDK and those of the bindings: the same bytes, without a copy. */
#ifndef SPOREGATE_CONVERT_H
#define SPOREGATE_CONVERT_H

#include "../bindings/listener.h"
#include "sporegate.h"

static inline sporegate_str str_of(listener_string_t text) {
    return (sporegate_str){(const char *)text.ptr, text.len};
}

static inline sporegate_str str_or_none(listener_option_string_t text) {
    return text.is_some ? str_of(text.val) : (sporegate_str){NULL, 0};
}

/* The gateway only reads what it is given. */
static inline listener_string_t string_of(sporegate_str text) {
    return (listener_string_t){(uint8_t *)(uintptr_t)text.ptr, text.len};
}

listener_list_string_t sporegate_strings_of(const sporegate_str *texts, size_t count);
sporegate_client sporegate_client_of(const sporegate_gateway_types_client_t *client);

/* Makes it the last error of the call, and gives SPOREGATE_FAILED. */
sporegate_result sporegate_fail_with(sporegate_error_code code, sporegate_str text);

/* The same for an error of the gateway, if the call was not `ok`. */
sporegate_result sporegate_result_of(bool ok, const sporegate_gateway_types_error_t *error);

/* The text of the last error; forgets it when a call begins. */
sporegate_str sporegate_why(void);
void sporegate_forget_error(void);

#endif
