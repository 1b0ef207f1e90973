/* examples/c/counter against the fake, with its handover. */
#include "../bindings/handover.h"
#include "fake.h"

typedef exports_sporegate_gateway_state_handover_snapshot_t snapshot;

static void check(const char *client, const char *text, const char *answer) {
    char expected[256];
    snprintf(expected, sizeof expected, "to %s\ntext %s\n", client, answer);
    assert(fake_message(client, text, strlen(text), false) == NULL);
    assert(fake_did(expected));
}

static bool export_is(const char *json) {
    snapshot state;
    handover_string_t error;
    assert(exports_sporegate_gateway_state_handover_export_state(&state, &error));
    assert(state.schema == 1 && state.media_type.len == 16);
    return state.data.len == strlen(json) && memcmp(state.data.ptr, json, state.data.len) == 0;
}

static bool import(uint32_t schema, const char *json) {
    snapshot state = {.schema = schema, .data = {(uint8_t *)(uintptr_t)json, strlen(json)}};
    handover_string_t error;
    bool ok = exports_sporegate_gateway_state_handover_import_state(&state, &error);
    assert(ok || error.len > 10);
    return ok;
}

int main(void) {
    fake_reset();
    assert(fake_start() == NULL);
    assert(fake_did("listen counter\ndisconnects forget\n"));
    assert(export_is("{\"total\":0,\"clients\":{}}"));
    check("kim", "count", "{\"yours\":1,\"total\":1}");
    check("lee", "count", "{\"yours\":1,\"total\":2}");
    check("kim", "count", "{\"yours\":2,\"total\":3}");
    check("al", "count", "{\"yours\":1,\"total\":4}");
    check("kim", "total", "{\"total\":4,\"clients\":3}");
    check("kim", "Count", "{\"error\":\"say count or total\"}");
    assert(export_is("{\"total\":4,\"clients\":{\"al\":1,\"kim\":2,\"lee\":1}}"));
    assert(fake_disconnect("kim") == NULL);
    assert(fake_disconnect("nobody") == NULL);
    check("lee", "total", "{\"total\":4,\"clients\":2}");

    static const char *const wrong[] = {"", "{}", "[]", "{\"total\":1}", "{\"total\":-1,\"clients\":{}}",
                                        "{\"total\":1,\"clients\":{\"a\":1,\"b\":\"x\"}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert(!import(1, wrong[i]));
    }
    assert(!import(2, "{\"total\":1,\"clients\":{}}"));
    assert(export_is("{\"total\":4,\"clients\":{\"al\":1,\"lee\":1}}"));
    assert(import(1, "{\"clients\":{\"z\":5,\"kim\":18446744073709551615},\"total\":9}"));
    assert(export_is("{\"total\":9,\"clients\":{\"kim\":18446744073709551615,\"z\":5}}"));
    assert(fake_disconnect("kim") == NULL && fake_disconnect("z") == NULL);
    assert(import(1, "{\"total\":0,\"clients\":{}}"));
    puts("counter: all is well");
}
