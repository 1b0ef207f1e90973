/* The SDK itself: JSON, UTF-8, errors, matchers, audiences. */
#include "fake.h"

sporegate_result sporegate_start(void) {
    const sporegate_str values[] = {S("1"), S("2")};
    const sporegate_test tests[] = {
        {.kind = SPOREGATE_TEXT_PREFIX, .value = S("{")},
        {.kind = SPOREGATE_JSON_ONE_OF, .pointer = S("/n"), .values = values, .value_count = 2},
    };
    const sporegate_matcher matcher = {.tests = tests, .test_count = 2};
    return sporegate_listen(S("m"), &matcher, 3);
}

sporegate_result sporegate_on_message(const sporegate_message_event *event) {
    assert(event->client.role_count == 1 && sporegate_equal(event->client.roles[0], S("editor")));
    assert(event->sequence == 7 && sporegate_path_param(event, S("no")).ptr == NULL);
    const sporegate_str except[] = {S("lee")};
    uint64_t reached = 0;
    sporegate_payload text = {SPOREGATE_TEXT, S("hi")};
    assert(sporegate_broadcast(sporegate_with_role(S("r")), text, except, 1, &reached) && reached == 2);
    assert(sporegate_broadcast_text(sporegate_with_ids(except, 1), S("ho")));
    return SPOREGATE_FAILED;
}

static bool is_json(const char *text) {
    return sporegate_json_parse(sporegate_str_of(text)).ptr != NULL;
}

static void json_is_read(void) {
    static const char *const good[] = {"0", "-0.5e+10", " [ ] ", "{}", "[1,[2,{\"a\":null}],true,false]",
                                       "\"\\u00e4\\ud83d\\ude00\\/\"", "{\"a\":{\"b\":[]},\"c\":1}", "\"\xC3\xA4\""};
    static const char *const bad[] = {"", " ", "01", "1.", "-", "1e", "+1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}",
                                      "{a:1}", "{\"a\":1,}", "nul", "\"", "\"\\x\"", "\"\\ud800\"", "\"\\udc00\"",
                                      "\"\\ud800\\u0041\"", "\"\t\"", "1 2", "[1}", "{]", "\"\xFF\"", "\"\xED\xA0\x80\""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert(is_json(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert(!is_json(bad[i]));
    }
    char deep[2 * 129 + 1] = {0};
    for (int depth = 128; depth <= 129; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        assert(is_json(deep) == (depth == 128));
    }
    sporegate_str json = S(" {\"a\":1,\"n\":{\"a\":2},\"\\u0061\":\"\\ud83d\\ude00\\n\", \"big\":18446744073709551616}");
    json = sporegate_json_parse(json);
    assert(sporegate_equal(sporegate_json_text(sporegate_json_get(json, S("a"))), S("\xF0\x9F\x98\x80\n")));
    uint64_t number;
    assert(sporegate_json_u64(sporegate_json_get(sporegate_json_get(json, S("n")), S("a")), &number) && number == 2);
    assert(!sporegate_json_u64(sporegate_json_get(json, S("big")), &number));
    assert(sporegate_json_get(json, S("none")).ptr == NULL && sporegate_json_text(json).ptr == NULL);
    assert(sporegate_json_get(S("[1]"), S("0")).ptr == NULL);
}

/* Every beginning of a text, and every text with one byte changed, is read within its bounds. */
static void no_bytes_are_read_outside(void) {
    static const char text[] = "{\"a\\u00e4\":[1.5e3,{\"b\":\"\\ud83d\\ude00\xE2\x82\xAC\"}],\"c\":true}";
    for (size_t len = 0; len < sizeof text; len++) {
        for (int byte = 0; byte < 256; byte++) {
            char *copy = malloc(len + (len == 0));
            memcpy(copy, text, len);
            if (len > 0) {
                copy[len * 7 % len] = (char)byte;
                copy[(size_t)byte % len] ^= 0x15;
            }
            sporegate_str view = {copy, len}, key, value;
            sporegate_json_parse(view);
            sporegate_members members = sporegate_json_members(view);
            while (sporegate_json_next(&members, &key, &value)) {
                sporegate_json_text(value);
            }
            free(copy);
        }
        sporegate_arena_end();
        sporegate_arena_begin();
    }
}

static void json_is_written(void) {
    sporegate_buf json = {0};
    sporegate_json_open(&json, '{');
    sporegate_json_put_string(&json, S("k\"\\"), S("\b\f\n\r\t\x01\x7F{"));
    sporegate_json_put_string(&json, S(""), S("\xF0\x9F\x98|\xC3\xA4|\xED\xA0\x80"));
    sporegate_json_key(&json, S("list"));
    sporegate_json_open(&json, '[');
    sporegate_json_number(&json, 0);
    sporegate_json_number(&json, UINT64_MAX);
    sporegate_json_bool(&json, false);
    sporegate_json_open(&json, '{');
    sporegate_json_close(&json, '}');
    sporegate_json_close(&json, ']');
    sporegate_json_close(&json, '}');
    assert(sporegate_equal(sporegate_view(&json),
        S("{\"k\\\"\\\\\":\"\\b\\f\\n\\r\\t\\u0001\x7F{\",\"\":\"\xEF\xBF\xBD|\xC3\xA4|\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\","
          "\"list\":[0,18446744073709551615,false,{}]}")));
    assert(sporegate_json_parse(sporegate_view(&json)).ptr != NULL);
    assert(sporegate_equal(sporegate_format("%d-%s", 7, "x"), S("7-x")));
}

static void errors_are_told(void) {
    fake_error = SPOREGATE_GATEWAY_TYPES_ERROR_TOO_LARGE;
    assert(!sporegate_send_text(S("kim"), S("x")));
    sporegate_error error = sporegate_last_error();
    assert(error.code == SPOREGATE_TOO_LARGE && error.limit == 4096);
    assert(sporegate_equal(error.text, S("too-large: more than 4096 bytes")));
    static const char bad[][24] = {"", "ftp://x/", "http://", "http:///x", "http://h/a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sporegate_http_handler nothing = {0};
        assert(!sporegate_http_get(sporegate_str_of(bad[i]), &nothing) && fake_handles == 0);
        assert(sporegate_last_error().code == SPOREGATE_INVALID_ARGUMENT);
    }
    fake_reset();
    sporegate_http_handler nothing = {0};
    assert(sporegate_http_get(S("https://h:1?q#f"), &nothing));
    assert(fake_did("https \nauthority h:1\nget /?q\n"));
}

int main(void) {
    fake_reset();
    assert(fake_start() == NULL);
    assert(fake_did("listen m\ntext {\njson /n\none of 1\none of 2\n"));
    assert(strcmp(fake_message("kim", "", 0, false), "the listener does not say why") == 0);
    assert(fake_did("role r\nexcept lee\ntext hi\nids lee\ntext ho\n"));
    assert(fake_disconnect("kim") == NULL);
    json_is_read();
    no_bytes_are_read_outside();
    json_is_written();
    errors_are_told();
    sporegate_client client;
    assert(sporegate_get_client(S("kim"), &client) && !sporegate_get_client(S("x"), &client));
    assert(sporegate_client_count() == 3 && sporegate_claims(S("x")).ptr == NULL);
    puts("sdk: all is well");
}
