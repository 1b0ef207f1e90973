#include <stdint.h>
#include <string.h>

#include "sporegate.h"
#include "utf8.h"

#define MAX_DEPTH 128

static const sporegate_str NONE = {NULL, 0};

/* Reads forward, and stands still where what it wants does not come. */
typedef struct reader {
    const char *text;
    size_t len;
    size_t at;
} reader;

static char peek(const reader *in) {
    return in->at < in->len ? in->text[in->at] : '\0';
}

static bool take(reader *in, char expected) {
    bool there = in->at < in->len && in->text[in->at] == expected;
    in->at += there;
    return there;
}

static void skip_space(reader *in) {
    while (in->at < in->len && strchr(" \t\n\r", in->text[in->at]) != NULL && peek(in) != '\0') {
        in->at++;
    }
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool digits(reader *in) {
    size_t first = in->at;
    while (is_digit(peek(in))) {
        in->at++;
    }
    return in->at > first;
}

static bool skip_number(reader *in) {
    take(in, '-');
    if (!take(in, '0') && !digits(in)) {
        return false;
    }
    if (take(in, '.') && !digits(in)) {
        return false;
    }
    if (take(in, 'e') || take(in, 'E')) {
        if (!take(in, '+')) {
            take(in, '-');
        }
        return digits(in);
    }
    return true;
}

static bool take_word(reader *in, const char *word) {
    while (*word != '\0') {
        if (!take(in, *word)) {
            return false;
        }
        word++;
    }
    return true;
}

/* The four digits of \uXXXX. */
static bool take_hex(reader *in, unsigned *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        char byte = peek(in);
        unsigned digit;
        if (is_digit(byte)) {
            digit = (unsigned)(byte - '0');
        } else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') {
            digit = (unsigned)((byte | 0x20) - 'a' + 10);
        } else {
            return false;
        }
        *unit = *unit << 4 | digit;
        in->at++;
    }
    return true;
}

/* After \u: one unit of UTF-16, or two that are one character. */
static bool take_code_point(reader *in, unsigned *code_point) {
    if (!take_hex(in, code_point)) {
        return false;
    }
    if (*code_point >= 0xDC00 && *code_point <= 0xDFFF) {
        return false;
    }
    if (*code_point >= 0xD800 && *code_point <= 0xDBFF) {
        unsigned low;
        if (!take(in, '\\') || !take(in, 'u') || !take_hex(in, &low)) {
            return false;
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return false;
        }
        *code_point = 0x10000 + ((*code_point - 0xD800) << 10) + (low - 0xDC00);
    }
    return true;
}

/* After a backslash: what it stands for. */
static bool take_escape(reader *in, char out[4], size_t *out_len) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char byte = peek(in);
    const char *found = byte == '\0' ? NULL : strchr(from, byte);
    if (found != NULL) {
        in->at++;
        out[0] = to[found - from];
        *out_len = 1;
        return true;
    }
    unsigned code_point;
    if (!take(in, 'u') || !take_code_point(in, &code_point)) {
        return false;
    }
    *out_len = sporegate_utf8_encode(code_point, out);
    return true;
}

/* A string, which is added to `out` unless that is NULL. */
static bool take_string(reader *in, sporegate_buf *out) {
    if (!take(in, '"')) {
        return false;
    }
    while (in->at < in->len) {
        size_t plain = in->at;
        while (in->at < in->len && peek(in) != '"' && peek(in) != '\\' &&
               (unsigned char)peek(in) >= 0x20) {
            in->at++;
        }
        if (out != NULL) {
            sporegate_add(out, (sporegate_str){in->text + plain, in->at - plain});
        }
        if (take(in, '"')) {
            return true;
        }
        char escaped[4];
        size_t len;
        if (!take(in, '\\') || !take_escape(in, escaped, &len)) {
            return false;
        }
        if (out != NULL) {
            sporegate_add(out, (sporegate_str){escaped, len});
        }
    }
    return false;
}

static bool skip_scalar(reader *in) {
    switch (peek(in)) {
    case '"':
        return take_string(in, NULL);
    case 't':
        return take_word(in, "true");
    case 'f':
        return take_word(in, "false");
    case 'n':
        return take_word(in, "null");
    default:
        return skip_number(in);
    }
}

static bool skip_key(reader *in) {
    skip_space(in);
    if (!take_string(in, NULL)) {
        return false;
    }
    skip_space(in);
    return take(in, ':');
}

/* After a value: closes what ends with it, and says whether another value is due. */
static bool after_value(reader *in, const char *closing, size_t *depth, bool *more) {
    for (*more = false; *depth > 0; --*depth) {
        skip_space(in);
        char bracket = closing[*depth - 1];
        if (take(in, ',')) {
            *more = true;
            return bracket == ']' || skip_key(in);
        }
        if (!take(in, bracket)) {
            return false;
        }
    }
    return true;
}

/* One value with all that is in it, without recursion: `closing` has the brackets that are due. */
static bool skip_value(reader *in) {
    char closing[MAX_DEPTH];
    size_t depth = 0;
    bool more = true;
    while (more) {
        skip_space(in);
        bool object = peek(in) == '{';
        if (object || peek(in) == '[') {
            if (depth == MAX_DEPTH) {
                return false;
            }
            in->at++;
            closing[depth++] = object ? '}' : ']';
            skip_space(in);
            if (peek(in) != closing[depth - 1]) {
                if (object && !skip_key(in)) {
                    return false;
                }
                continue;
            }
            in->at++;
            depth--;
        } else if (!skip_scalar(in)) {
            return false;
        }
        if (!after_value(in, closing, &depth, &more)) {
            return false;
        }
    }
    return true;
}

sporegate_str sporegate_json_parse(sporegate_str text) {
    reader in = {text.ptr, text.len, 0};
    skip_space(&in);
    size_t first = in.at;
    bool whole = skip_value(&in);
    size_t end = in.at;
    skip_space(&in);
    if (whole && in.at == in.len && sporegate_is_utf8(text)) {
        return (sporegate_str){text.ptr + first, end - first};
    }
    sporegate_buf why = {0};
    if (whole && in.at == in.len) {
        sporegate_add(&why, SPOREGATE_STR("not JSON: not UTF-8"));
    } else {
        sporegate_add(&why, SPOREGATE_STR("not JSON at byte "));
        sporegate_add_number(&why, in.at);
    }
    sporegate_fail(sporegate_view(&why));
    return NONE;
}

bool sporegate_json_is_object(sporegate_str value) {
    return value.len > 0 && value.ptr[0] == '{';
}

sporegate_members sporegate_json_members(sporegate_str object) {
    sporegate_members members = {NONE};
    if (sporegate_json_is_object(object)) {
        members.rest = (sporegate_str){object.ptr + 1, object.len - 1};
    }
    return members;
}

bool sporegate_json_next(sporegate_members *members, sporegate_str *key, sporegate_str *value) {
    reader in = {members->rest.ptr, members->rest.len, 0};
    skip_space(&in);
    take(&in, ',');
    skip_space(&in);
    size_t key_first = in.at;
    members->rest = NONE;
    if (!take_string(&in, NULL)) {
        return false;
    }
    *key = sporegate_json_text((sporegate_str){in.text + key_first, in.at - key_first});
    skip_space(&in);
    if (!take(&in, ':')) {
        return false;
    }
    skip_space(&in);
    size_t first = in.at;
    if (!skip_value(&in)) {
        return false;
    }
    *value = (sporegate_str){in.text + first, in.at - first};
    members->rest = (sporegate_str){in.text + in.at, in.len - in.at};
    return true;
}

sporegate_str sporegate_json_get(sporegate_str object, sporegate_str key) {
    sporegate_members members = sporegate_json_members(object);
    sporegate_str name, value, found = NONE;
    while (sporegate_json_next(&members, &name, &value)) {
        if (sporegate_equal(name, key)) {
            found = value;
        }
    }
    return found;
}

sporegate_str sporegate_json_text(sporegate_str value) {
    if (value.len < 2 || value.ptr[0] != '"') {
        return NONE;
    }
    if (memchr(value.ptr, '\\', value.len) == NULL) {
        return (sporegate_str){value.ptr + 1, value.len - 2};
    }
    reader in = {value.ptr, value.len, 0};
    sporegate_buf text = {0};
    return take_string(&in, &text) ? sporegate_view(&text) : NONE;
}

bool sporegate_json_u64(sporegate_str value, uint64_t *number) {
    uint64_t sum = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned digit = (unsigned)(value.ptr[i] - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *number = sum;
    return value.len > 0;
}
