/* examples/c/chat against the fake. */
#include "fake.h"

static void check(const char *client, const char *text, const char *expected) {
    assert(fake_message(client, text, strlen(text), false) == NULL);
    assert(fake_did(expected));
}

#define ALL "path /chat/tea\ntext "

int main(void) {
    fake_reset();
    assert(fake_start() == NULL);
    assert(fake_did("listen chat\npath /chat/{room}\ndisconnects farewell\npath /chat/{room}\n"));
    check("kim", "{\"type\":\"join\"}", ALL "{\"type\":\"joined\",\"who\":\"kim\",\"room\":\"tea\"}\n");
    check("anonymous", " { \"text\" : \"\\u00e4\\n\\\"\" , \"type\" : \"say\" } ",
          ALL "{\"type\":\"said\",\"who\":\"somebody\",\"text\":\"\xC3\xA4\\n\\\"\"}\n");
    check("kim", "{\"type\":\"who\"}",
          "to kim\ntext {\"type\":\"present\",\"who\":[\"kim\",\"somebody\",\"lee\"]}\n");
    check("kim", "{\"type\":\"leave\"}", "close kim\nreason see you\n");
    static const char *const wrong[] = {"", "x", "{}", "[]", "{\"type\":\"say\"}", "{\"type\":\"sing\"}",
                                        "{\"type\":\"say\",\"text\":1}", "{\"type\":\"join\"}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert(fake_message("kim", wrong[i], strlen(wrong[i]), false) == NULL);
        assert(strstr(fake_log, "to kim\ntext {\"type\":\"error\",\"problem\":\"") == fake_log);
        fake_reset();
    }
    assert(fake_message("kim", "\x01", 1, true) == NULL);
    assert(strstr(fake_log, "{\"type\":\"error\"") != NULL);
    fake_reset();
    assert(fake_disconnect("kim") == NULL);
    assert(fake_did(ALL "{\"type\":\"left\",\"who\":\"kim\"}\n"));

    fake_error = SPOREGATE_GATEWAY_TYPES_ERROR_INVALID_ARGUMENT;
    assert(strcmp(fake_message("kim", "{\"type\":\"who\"}", 14, false), "invalid-argument: because") == 0);
    puts("chat: all is well");
}
