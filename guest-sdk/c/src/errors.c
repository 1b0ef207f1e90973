#include "convert.h"

static sporegate_error last;

sporegate_error sporegate_last_error(void) {
    return last;
}

void sporegate_forget_error(void) {
    last = (sporegate_error){.code = SPOREGATE_NO_ERROR};
}

sporegate_str sporegate_why(void) {
    return last.code == SPOREGATE_NO_ERROR ? SPOREGATE_STR("the listener does not say why") : last.text;
}

sporegate_result sporegate_fail_with(sporegate_error_code code, sporegate_str text) {
    last = (sporegate_error){.code = code, .text = text};
    return SPOREGATE_FAILED;
}

sporegate_result sporegate_fail(sporegate_str why) {
    return sporegate_fail_with(SPOREGATE_OTHER, why);
}

static sporegate_str name_of(sporegate_error_code code) {
    switch (code) {
    case SPOREGATE_NOT_FOUND:
        return SPOREGATE_STR("not-found");
    case SPOREGATE_CLOSED:
        return SPOREGATE_STR("closed");
    case SPOREGATE_QUEUE_FULL:
        return SPOREGATE_STR("queue-full");
    case SPOREGATE_TOO_LARGE:
        return SPOREGATE_STR("too-large");
    case SPOREGATE_DENIED:
        return SPOREGATE_STR("denied");
    case SPOREGATE_INVALID_ARGUMENT:
        return SPOREGATE_STR("invalid-argument");
    case SPOREGATE_LIMIT_EXCEEDED:
        return SPOREGATE_STR("limit-exceeded");
    case SPOREGATE_NO_ERROR:
    case SPOREGATE_OTHER:
        break;
    }
    return SPOREGATE_STR("other");
}

/* The codes follow the cases of the interface, after SPOREGATE_NO_ERROR. */
_Static_assert(SPOREGATE_GATEWAY_TYPES_ERROR_OTHER + 1 == SPOREGATE_OTHER, "a case is missing");

sporegate_result sporegate_result_of(bool ok, const sporegate_gateway_types_error_t *error) {
    if (ok) {
        return SPOREGATE_OK;
    }
    sporegate_error_code code = (sporegate_error_code)(error->tag + 1);
    sporegate_buf text = {0};
    sporegate_add(&text, name_of(code));
    uint64_t limit = 0;
    if (code == SPOREGATE_TOO_LARGE) {
        limit = error->val.too_large;
        sporegate_add(&text, SPOREGATE_STR(": more than "));
        sporegate_add_number(&text, limit);
        sporegate_add(&text, SPOREGATE_STR(" bytes"));
    } else if (code >= SPOREGATE_DENIED) {
        /* The texts of these cases are in one place. */
        sporegate_add(&text, SPOREGATE_STR(": "));
        sporegate_add(&text, str_of(error->val.other));
    }
    sporegate_fail_with(code, sporegate_view(&text));
    last.limit = limit;
    return SPOREGATE_FAILED;
}
