/* One step through bytes that may be UTF-8 (RFC 3629). */
#ifndef SPOREGATE_UTF8_H
#define SPOREGATE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

typedef struct utf8_step {
    bool valid;
    /* Of the character, or of the longest beginning of one: 1-4. */
    size_t len;
} utf8_step;

/* `len` is at least 1. */
utf8_step sporegate_utf8_step(const unsigned char *bytes, size_t len);

/* Writes a character of at most U+10FFFF, and says in how many bytes. */
size_t sporegate_utf8_encode(unsigned code_point, char out[4]);

#endif
