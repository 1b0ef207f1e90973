#include <string.h>

#include "http.h"

static bool begins(sporegate_str text, sporegate_str with) {
    return text.len >= with.len && memcmp(text.ptr, with.ptr, with.len) == 0;
}

static sporegate_str without_first(sporegate_str text, size_t bytes) {
    return (sporegate_str){text.ptr + bytes, text.len - bytes};
}

/* How many bytes come before the first of `any`. */
static size_t bytes_before(sporegate_str text, const char *any) {
    size_t at = 0;
    while (at < text.len && (text.ptr[at] == '\0' || strchr(any, text.ptr[at]) == NULL)) {
        at++;
    }
    return at;
}

bool sporegate_http_url(sporegate_str text, http_url *url) {
    const sporegate_str plain = SPOREGATE_STR("http://"), secure = SPOREGATE_STR("https://");
    url->secure = begins(text, secure);
    if (!url->secure && !begins(text, plain)) {
        return sporegate_fail_with(
            SPOREGATE_INVALID_ARGUMENT,
            SPOREGATE_STR("invalid-argument: a URL begins with http:// or https://"));
    }
    sporegate_str rest = without_first(text, url->secure ? secure.len : plain.len);
    url->authority = (sporegate_str){rest.ptr, bytes_before(rest, "/?#")};
    if (url->authority.len == 0) {
        return sporegate_fail_with(SPOREGATE_INVALID_ARGUMENT,
                                   SPOREGATE_STR("invalid-argument: the URL has no host"));
    }
    rest = without_first(rest, url->authority.len);
    rest.len = bytes_before(rest, "#");
    if (begins(rest, SPOREGATE_STR("/"))) {
        url->path_with_query = rest;
    } else {
        sporegate_buf path = {0};
        sporegate_add(&path, SPOREGATE_STR("/"));
        sporegate_add(&path, rest);
        url->path_with_query = sporegate_view(&path);
    }
    return true;
}
