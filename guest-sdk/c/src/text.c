#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "sporegate.h"

#define FIRST_CAPACITY 64

sporegate_str sporegate_str_of(const char *text) {
    return (sporegate_str){text, strlen(text)};
}

bool sporegate_equal(sporegate_str a, sporegate_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

void sporegate_add(sporegate_buf *buf, sporegate_str text) {
    if (text.len == 0) {
        return;
    }
    if (text.len > SIZE_MAX / 4 - buf->len) {
        __builtin_trap();
    }
    size_t needed = buf->len + text.len;
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity * 2 > FIRST_CAPACITY ? buf->capacity * 2 : FIRST_CAPACITY;
        capacity = needed > capacity ? needed : capacity;
        buf->ptr = sporegate_arena_realloc(buf->ptr, buf->capacity, capacity);
        buf->capacity = capacity;
    }
    memcpy(buf->ptr + buf->len, text.ptr, text.len);
    buf->len = needed;
}

void sporegate_add_number(sporegate_buf *buf, uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    sporegate_add(buf, (sporegate_str){digits + first, sizeof digits - first});
}

sporegate_str sporegate_view(const sporegate_buf *buf) {
    return buf->ptr == NULL ? SPOREGATE_STR("") : (sporegate_str){buf->ptr, buf->len};
}
