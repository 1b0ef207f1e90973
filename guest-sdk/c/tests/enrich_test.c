/* examples/c/enrich against the fake: what is sent, in which order, and that no handle stays open. */
#include "fake.h"

#define ASKED "http \nauthority 127.0.0.1:9000\nget /items/tea\n"
#define SENT(json) "to kim\ntext " json "\nflush \n"

static void ask(const char *const *body, int body_error, int request_error) {
    fake_reset();
    fake_body = body;
    fake_body_error = body_error;
    fake_request_error = request_error;
    assert(fake_message("kim", "tea", 3, false) == NULL);
    assert(fake_handles == 0);
}

int main(void) {
    fake_reset();
    assert(strstr(fake_start(), "config.service") != NULL);
    fake_reset();
    fake_service = "http://127.0.0.1:9000";
    assert(fake_start() == NULL);
    assert(fake_did("config service\nlisten enrich\n"));

    const char *const lines[] = {"a", "b\n\nc\n", "\xE2", "\x82\xAC\xFF", NULL};
    ask(lines, -1, -1);
    assert(fake_did(ASKED SENT("{\"status\":200}") SENT("{\"line\":\"ab\"}") SENT("{\"line\":\"\"}")
                        SENT("{\"line\":\"c\"}") SENT("{\"line\":\"\xE2\x82\xAC\xEF\xBF\xBD\"}")
                            SENT("{\"done\":true,\"lines\":4}")));

    ask(NULL, -1, -1);
    assert(fake_did(ASKED SENT("{\"status\":200}") SENT("{\"done\":true,\"lines\":0}")));

    const char *const broken[] = {"a\nb", NULL};
    ask(broken, WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TERMINATED, -1);
    assert(fake_did(ASKED SENT("{\"status\":200}") SENT("{\"line\":\"a\"}")
                        SENT("{\"error\":\"connection-terminated\"}")));

    ask(NULL, -1, WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR);
    assert(fake_did(ASKED SENT("{\"error\":\"internal-error: broken\"}")));

    static const char *const wrong[] = {"", "Tea", "a/b", "a b",
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fake_reset();
        assert(fake_message("kim", wrong[i], strlen(wrong[i]), false) == NULL);
        assert(fake_did(SENT("{\"error\":\"a name is 1-64 of a-z, 0-9 and -\"}")));
    }

    fake_reset();
    fake_body = lines;
    fake_error = SPOREGATE_GATEWAY_TYPES_ERROR_CLOSED;
    assert(strcmp(fake_message("kim", "tea", 3, false), "closed") == 0);
    assert(fake_handles == 0);
    puts("enrich: all is well");
}
