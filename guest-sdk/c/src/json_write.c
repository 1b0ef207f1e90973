#include <string.h>

#include "sporegate.h"
#include "utf8.h"

static const char HEX[] = "0123456789abcdef";

/* After a bracket or a key no comma is due: no value ends with one of these. */
static void separate(sporegate_buf *json) {
    if (json->len > 0 && strchr("{[:", json->ptr[json->len - 1]) == NULL) {
        sporegate_add(json, SPOREGATE_STR(","));
    }
}

void sporegate_json_open(sporegate_buf *json, char bracket) {
    separate(json);
    sporegate_add(json, (sporegate_str){&bracket, 1});
}

void sporegate_json_close(sporegate_buf *json, char bracket) {
    sporegate_add(json, (sporegate_str){&bracket, 1});
}

static void add_escaped(sporegate_buf *json, unsigned char byte) {
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; named[i] != '\0'; i += 2) {
        if (byte == (unsigned char)named[i]) {
            char escape[] = {'\\', named[i + 1]};
            sporegate_add(json, (sporegate_str){escape, sizeof escape});
            return;
        }
    }
    char escape[] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]};
    sporegate_add(json, (sporegate_str){escape, sizeof escape});
}

static void add_quoted(sporegate_buf *json, sporegate_str text) {
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    sporegate_add(json, SPOREGATE_STR("\""));
    /* What needs no change is added at once, when something else or the end comes. */
    size_t plain = 0, at = 0;
    while (at < text.len) {
        utf8_step step = sporegate_utf8_step(bytes + at, text.len - at);
        bool escape = bytes[at] < 0x20 || bytes[at] == '"' || bytes[at] == '\\';
        if (escape || !step.valid) {
            sporegate_add(json, (sporegate_str){text.ptr + plain, at - plain});
            if (escape) {
                add_escaped(json, bytes[at]);
            } else {
                sporegate_add(json, SPOREGATE_STR("\xEF\xBF\xBD"));
            }
            plain = at + step.len;
        }
        at += step.len;
    }
    if (plain < text.len) {
        sporegate_add(json, (sporegate_str){text.ptr + plain, text.len - plain});
    }
    sporegate_add(json, SPOREGATE_STR("\""));
}

void sporegate_json_key(sporegate_buf *json, sporegate_str key) {
    separate(json);
    add_quoted(json, key);
    sporegate_add(json, SPOREGATE_STR(":"));
}

void sporegate_json_string(sporegate_buf *json, sporegate_str text) {
    separate(json);
    add_quoted(json, text);
}

void sporegate_json_number(sporegate_buf *json, uint64_t number) {
    separate(json);
    sporegate_add_number(json, number);
}

void sporegate_json_bool(sporegate_buf *json, bool value) {
    separate(json);
    sporegate_add(json, value ? SPOREGATE_STR("true") : SPOREGATE_STR("false"));
}

void sporegate_json_put_string(sporegate_buf *json, sporegate_str key, sporegate_str text) {
    sporegate_json_key(json, key);
    sporegate_json_string(json, text);
}

void sporegate_json_put_number(sporegate_buf *json, sporegate_str key, uint64_t number) {
    sporegate_json_key(json, key);
    sporegate_json_number(json, number);
}
