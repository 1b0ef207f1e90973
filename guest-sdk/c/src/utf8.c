#include "utf8.h"

#include "sporegate.h"

/* The bytes that may follow the first: how many, and the range of the one after it. */
typedef struct pattern {
    size_t following;
    unsigned char low;
    unsigned char high;
} pattern;

static bool pattern_of(unsigned char first, pattern *found) {
    if (first >= 0xC2 && first <= 0xDF) {
        *found = (pattern){1, 0x80, 0xBF};
    } else if (first >= 0xE0 && first <= 0xEF) {
        *found = (pattern){2, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF};
    } else if (first >= 0xF0 && first <= 0xF4) {
        *found = (pattern){3, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF};
    } else {
        return false;
    }
    return true;
}

utf8_step sporegate_utf8_step(const unsigned char *bytes, size_t len) {
    pattern expected;
    if (bytes[0] < 0x80) {
        return (utf8_step){true, 1};
    }
    if (!pattern_of(bytes[0], &expected)) {
        return (utf8_step){false, 1};
    }
    for (size_t i = 1; i <= expected.following; i++) {
        unsigned char low = i == 1 ? expected.low : 0x80;
        unsigned char high = i == 1 ? expected.high : 0xBF;
        if (i >= len || bytes[i] < low || bytes[i] > high) {
            return (utf8_step){false, i};
        }
    }
    return (utf8_step){true, expected.following + 1};
}

size_t sporegate_utf8_encode(unsigned code_point, char out[4]) {
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    unsigned mark = len == 2 ? 0xC0 : len == 3 ? 0xE0 : 0xF0;
    out[0] = (char)(mark | code_point);
    return len;
}

bool sporegate_is_utf8(sporegate_str bytes) {
    size_t at = 0;
    while (at < bytes.len) {
        utf8_step step = sporegate_utf8_step((const unsigned char *)bytes.ptr + at, bytes.len - at);
        if (!step.valid) {
            return false;
        }
        at += step.len;
    }
    return true;
}
