/* What a module needs a grant for, in its sidecar NAME.toml, and the log. A component imports only
   what it calls. Included by sporegate.h. */
#ifndef SPOREGATE_WASI_H
#define SPOREGATE_WASI_H

#include "sporegate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Log ---- */

/* One line in the module's log, as printf. What is printed to stdout and stderr goes there, too. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void sporegate_log(const char *format, ...);

/* ---- Configuration: [config] ---- */

/* `value` is none where the key is not set. */
sporegate_result sporegate_config(sporegate_str key, sporegate_str *value);

/* ---- Key-value store: [keyvalue] buckets ---- */

/* `value` is none where the key is not set. */
sporegate_result sporegate_kv_get(sporegate_str bucket, sporegate_str key, sporegate_str *value);
sporegate_result sporegate_kv_set(sporegate_str bucket, sporegate_str key, sporegate_str value);
sporegate_result sporegate_kv_delete(sporegate_str bucket, sporegate_str key);

/* ---- HTTP: [http] hosts ---- */

/* What a GET gives as it comes in. Both may be NULL; SPOREGATE_FAILED ends the request, which then
   fails as well. */
typedef struct sporegate_http_handler {
    /* Once, before the body. */
    sporegate_result (*on_status)(void *context, uint16_t status);
    /* A piece of the body, at most 16 KiB. It is valid only until the function returns. */
    sporegate_result (*on_chunk)(void *context, sporegate_str chunk);
    void *context;
} sporegate_http_handler;

/* Waits for the answer to `http://host[:port]/path?query`, or https, and for all of its body. Any
   status is an answer. If there is none or it breaks off, the last error names the cause. */
sporegate_result sporegate_http_get(sporegate_str url, const sporegate_http_handler *handler);

#ifdef __cplusplus
}
#endif

#endif
