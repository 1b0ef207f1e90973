/* The parts of a GET. */
#ifndef SPOREGATE_HTTP_H
#define SPOREGATE_HTTP_H

#include "convert.h"

/* `http://authority/path?query`, without a fragment. */
typedef struct http_url {
    bool secure;
    sporegate_str authority;
    sporegate_str path_with_query;
} http_url;

/* False, with the last error, where it is no such URL. */
bool sporegate_http_url(sporegate_str text, http_url *url);

/* Makes it the last error: the name that wasi:http gives to the case, and what it carries of text. */
sporegate_result sporegate_http_fail(const wasi_http_types_error_code_t *error);

/* The same for the error of a stream, which it drops. */
sporegate_result sporegate_http_fail_stream(wasi_io_error_own_error_t error);

#endif
