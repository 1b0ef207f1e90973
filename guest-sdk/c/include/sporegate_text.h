/* Text that grows, JSON written and read, UTF-8. Included by sporegate.h. */
#ifndef SPOREGATE_TEXT_H
#define SPOREGATE_TEXT_H

#include "sporegate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Text that grows ---- */

/* Begins as {0}, and lives until the call ends. To use its memory again, set `len` to 0. */
typedef struct sporegate_buf {
    char *ptr;
    size_t len;
    size_t capacity;
} sporegate_buf;

void sporegate_add(sporegate_buf *buf, sporegate_str text);
void sporegate_add_number(sporegate_buf *buf, uint64_t number);

/* What is in it, until it is added to. */
sporegate_str sporegate_view(const sporegate_buf *buf);

/* As printf, into memory of the call. It costs a module some 17 KB, which the rest here does not. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
sporegate_str sporegate_format(const char *format, ...);

/* ---- JSON, written ---- */

/* Into a buffer that holds nothing else. Commas come by themselves. Each longest beginning of a
   character that is not UTF-8 becomes U+FFFD, as browsers do it.

       sporegate_buf json = {0};
       sporegate_json_open(&json, '{');
       sporegate_json_put_string(&json, SPOREGATE_STR("type"), SPOREGATE_STR("said"));
       sporegate_json_close(&json, '}'); */
void sporegate_json_open(sporegate_buf *json, char bracket);
void sporegate_json_close(sporegate_buf *json, char bracket);
void sporegate_json_key(sporegate_buf *json, sporegate_str key);
void sporegate_json_string(sporegate_buf *json, sporegate_str text);
void sporegate_json_number(sporegate_buf *json, uint64_t number);
void sporegate_json_bool(sporegate_buf *json, bool value);

/* A key and its value. */
void sporegate_json_put_string(sporegate_buf *json, sporegate_str key, sporegate_str text);
void sporegate_json_put_number(sporegate_buf *json, sporegate_str key, uint64_t number);

/* ---- JSON, read ---- */

/* A value is a view of its JSON text. This one checks all of it (RFC 8259, at most 128 levels deep);
   the functions below take what has been checked, and parts of it. Where it is not JSON it gives
   none, and the last error says at which byte. */
sporegate_str sporegate_json_parse(sporegate_str text);

/* The members of an object in turn, keys without escapes. Not an object: no members. */
typedef struct sporegate_members {
    sporegate_str rest;
} sporegate_members;

sporegate_members sporegate_json_members(sporegate_str object);
bool sporegate_json_next(sporegate_members *members, sporegate_str *key, sporegate_str *value);

/* The value of a key, the last one if there are several; none if there is none. */
sporegate_str sporegate_json_get(sporegate_str object, sporegate_str key);

bool sporegate_json_is_object(sporegate_str value);

/* The string without quotes and escapes; none if it is not a string. */
sporegate_str sporegate_json_text(sporegate_str value);

/* False if it is not a number, or not a whole one from 0 to 2^64 - 1. */
bool sporegate_json_u64(sporegate_str value, uint64_t *number);

/* ---- UTF-8 ---- */

bool sporegate_is_utf8(sporegate_str bytes);

#ifdef __cplusplus
}
#endif

#endif
