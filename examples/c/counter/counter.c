/* Counts for each client and for all, and keeps the numbers across a hot swap. */
#include <sporegate.h>
#include <stdlib.h>
#include <string.h>

#define S SPOREGATE_STR
#define SCHEMA 1

typedef struct entry {
    sporegate_str id; /* kept */
    uint64_t count;
} entry;

/* Sorted by id, without duplicates. */
typedef struct numbers {
    uint64_t total;
    entry *clients;
    size_t len;
    size_t capacity;
} numbers;

static numbers state;

static int compare(sporegate_str a, sporegate_str b) {
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where the client is, or belongs. */
static size_t place_of(const numbers *in, sporegate_str id, bool *found) {
    size_t low = 0, high = in->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(in->clients[middle].id, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < in->len && sporegate_equal(in->clients[low].id, id);
    return low;
}

static uint64_t *number_of(numbers *in, sporegate_str id) {
    bool found;
    size_t place = place_of(in, id, &found);
    if (!found) {
        if (in->len == in->capacity) {
            in->capacity = in->capacity * 2 + 8;
            in->clients = realloc(in->clients, in->capacity * sizeof(entry));
            if (in->clients == NULL) {
                __builtin_trap();
            }
        }
        entry *at = in->clients + place;
        memmove(at + 1, at, (in->len - place) * sizeof(entry));
        *at = (entry){sporegate_keep(id), 0};
        in->len++;
    }
    return &in->clients[place].count;
}

static void forget(numbers *in, sporegate_str id) {
    bool found;
    size_t place = place_of(in, id, &found);
    if (found) {
        entry *at = in->clients + place;
        free((char *)at->id.ptr);
        memmove(at, at + 1, (in->len - place - 1) * sizeof(entry));
        in->len--;
    }
}

static void forget_all(numbers *in) {
    for (size_t i = 0; i < in->len; i++) {
        free((char *)in->clients[i].id.ptr);
    }
    free(in->clients);
    *in = (numbers){0};
}

sporegate_result sporegate_start(void) {
    return sporegate_listen(S("counter"), NULL, 0) &&
                   sporegate_listen_for_disconnects(S("forget"), (sporegate_str){0})
               ? SPOREGATE_OK
               : SPOREGATE_FAILED;
}

sporegate_result sporegate_on_message(const sporegate_message_event *event) {
    bool text = event->message.kind == SPOREGATE_TEXT;
    sporegate_buf answer = {0};
    sporegate_json_open(&answer, '{');
    if (text && sporegate_equal(event->message.data, S("count"))) {
        uint64_t yours = ++*number_of(&state, event->client.id);
        sporegate_json_put_number(&answer, S("yours"), yours);
        sporegate_json_put_number(&answer, S("total"), ++state.total);
    } else if (text && sporegate_equal(event->message.data, S("total"))) {
        sporegate_json_put_number(&answer, S("total"), state.total);
        sporegate_json_put_number(&answer, S("clients"), state.len);
    } else {
        sporegate_json_put_string(&answer, S("error"), S("say count or total"));
    }
    sporegate_json_close(&answer, '}');
    return sporegate_reply_text(event, sporegate_view(&answer)) ? SPOREGATE_STOP : SPOREGATE_FAILED;
}

sporegate_result sporegate_on_disconnect(const sporegate_disconnect_event *event) {
    forget(&state, event->client.id);
    return SPOREGATE_OK;
}

sporegate_result sporegate_export_state(sporegate_snapshot *snapshot) {
    sporegate_buf json = {0};
    sporegate_json_open(&json, '{');
    sporegate_json_put_number(&json, S("total"), state.total);
    sporegate_json_key(&json, S("clients"));
    sporegate_json_open(&json, '{');
    for (size_t i = 0; i < state.len; i++) {
        sporegate_json_put_number(&json, state.clients[i].id, state.clients[i].count);
    }
    sporegate_json_close(&json, '}');
    sporegate_json_close(&json, '}');
    *snapshot = (sporegate_snapshot){SCHEMA, S("application/json"), sporegate_view(&json)};
    return SPOREGATE_OK;
}

static bool read_numbers(sporegate_str json, numbers *into) {
    sporegate_str object = sporegate_json_parse(json);
    sporegate_str clients = sporegate_json_get(object, S("clients"));
    if (!sporegate_json_u64(sporegate_json_get(object, S("total")), &into->total) ||
        !sporegate_json_is_object(clients)) {
        return false;
    }
    sporegate_members members = sporegate_json_members(clients);
    sporegate_str id, count;
    while (sporegate_json_next(&members, &id, &count)) {
        if (!sporegate_json_u64(count, number_of(into, id))) {
            return false;
        }
    }
    return true;
}

sporegate_result sporegate_import_state(const sporegate_snapshot *snapshot) {
    if (snapshot->schema != SCHEMA) {
        return sporegate_fail(S("the state has another schema than 1"));
    }
    numbers read = {0};
    if (!read_numbers(snapshot->data, &read)) {
        forget_all(&read);
        return sporegate_fail(
            S("the state is not {\"total\":M,\"clients\":{\"<client id>\":N,...}}"));
    }
    forget_all(&state);
    state = read;
    return SPOREGATE_OK;
}
