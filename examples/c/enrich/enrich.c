/* Asks an HTTP service for what a client names, and streams its answer line by line. */
#include <sporegate.h>
#include <string.h>

#define S SPOREGATE_STR
#define MAX_NAME_BYTES 64

static sporegate_str service; /* kept */

sporegate_result sporegate_start(void) {
    sporegate_str url;
    if (!sporegate_config(S("service"), &url)) {
        return SPOREGATE_FAILED;
    }
    if (url.ptr == NULL) {
        return sporegate_fail(
            S("no service to ask: set config.service in enrich.toml, e.g. http://127.0.0.1:9000"));
    }
    service = sporegate_keep(url);
    return sporegate_listen(S("enrich"), NULL, 0);
}

/* One answer while it comes in. The buffers are used again for every line. */
typedef struct answer {
    sporegate_str client_id;
    sporegate_buf line; /* what has come of it so far */
    sporegate_buf json;
    uint64_t lines;
    bool unsent; /* a message could not be sent: the client cannot be told anything more */
} answer;

static sporegate_result send_now(answer *to) {
    sporegate_json_close(&to->json, '}');
    bool sent = sporegate_send_text(to->client_id, sporegate_view(&to->json)) && sporegate_flush();
    to->unsent = !sent;
    return sent ? SPOREGATE_OK : SPOREGATE_FAILED;
}

static sporegate_buf *begin(answer *to) {
    to->json.len = 0;
    sporegate_json_open(&to->json, '{');
    return &to->json;
}

static sporegate_result send_line(answer *to) {
    sporegate_json_put_string(begin(to), S("line"), sporegate_view(&to->line));
    to->line.len = 0;
    to->lines++;
    return send_now(to);
}

static sporegate_result send_error(answer *to, sporegate_str error) {
    sporegate_json_put_string(begin(to), S("error"), error);
    return send_now(to);
}

static sporegate_result on_status(void *context, uint16_t status) {
    answer *to = context;
    sporegate_json_put_number(begin(to), S("status"), status);
    return send_now(to);
}

static sporegate_result on_chunk(void *context, sporegate_str chunk) {
    answer *to = context;
    while (chunk.len > 0) {
        const char *end = memchr(chunk.ptr, '\n', chunk.len);
        size_t len = end == NULL ? chunk.len : (size_t)(end - chunk.ptr);
        sporegate_add(&to->line, (sporegate_str){chunk.ptr, len});
        if (end == NULL) {
            break;
        }
        if (!send_line(to)) {
            return SPOREGATE_FAILED;
        }
        chunk = (sporegate_str){end + 1, chunk.len - len - 1};
    }
    return SPOREGATE_OK;
}

static bool is_name(sporegate_payload message) {
    bool ok = message.kind == SPOREGATE_TEXT && message.data.len > 0 &&
              message.data.len <= MAX_NAME_BYTES;
    for (size_t i = 0; ok && i < message.data.len; i++) {
        char byte = message.data.ptr[i];
        ok = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
    }
    return ok;
}

static sporegate_result stream(answer *to, sporegate_str name) {
    sporegate_buf url = {0};
    sporegate_add(&url, service);
    sporegate_add(&url, S("/items/"));
    sporegate_add(&url, name);
    sporegate_http_handler handler = {on_status, on_chunk, to};
    if (!sporegate_http_get(sporegate_view(&url), &handler)) {
        return to->unsent ? SPOREGATE_FAILED : send_error(to, sporegate_last_error().text);
    }
    if (to->line.len > 0 && !send_line(to)) {
        return SPOREGATE_FAILED;
    }
    sporegate_buf *json = begin(to);
    sporegate_json_key(json, S("done"));
    sporegate_json_bool(json, true);
    sporegate_json_put_number(json, S("lines"), to->lines);
    return send_now(to);
}

sporegate_result sporegate_on_message(const sporegate_message_event *event) {
    answer to = {.client_id = event->client.id};
    sporegate_result result = is_name(event->message)
                                  ? stream(&to, event->message.data)
                                  : send_error(&to, S("a name is 1-64 of a-z, 0-9 and -"));
    return result ? SPOREGATE_STOP : SPOREGATE_FAILED;
}
