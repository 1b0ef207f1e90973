#include "convert.h"

typedef sporegate_gateway_listeners_content_test_t content_test;

static content_test text_test(uint8_t tag, sporegate_str value) {
    return (content_test){.tag = tag, .val.text_equals = string_of(value)};
}

static content_test json_test(uint8_t tag, const sporegate_test *test) {
    content_test json = {.tag = SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_JSON};
    json.val.json.pointer = string_of(test->pointer);
    json.val.json.test.tag = tag;
    if (tag == SPOREGATE_GATEWAY_LISTENERS_JSON_TEST_EQUALS) {
        json.val.json.test.val.equals = string_of(test->value);
    } else if (tag == SPOREGATE_GATEWAY_LISTENERS_JSON_TEST_ONE_OF) {
        json.val.json.test.val.one_of = sporegate_strings_of(test->values, test->value_count);
    }
    return json;
}

static content_test content_test_of(const sporegate_test *test) {
    switch (test->kind) {
    case SPOREGATE_IS_TEXT:
        break;
    case SPOREGATE_IS_BINARY:
        return (content_test){.tag = SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_IS_BINARY};
    case SPOREGATE_TEXT_EQUALS:
        return text_test(SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_TEXT_EQUALS, test->value);
    case SPOREGATE_TEXT_PREFIX:
        return text_test(SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_TEXT_PREFIX, test->value);
    case SPOREGATE_TEXT_CONTAINS:
        return text_test(SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_TEXT_CONTAINS, test->value);
    case SPOREGATE_TEXT_REGEX:
        return text_test(SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_TEXT_REGEX, test->value);
    case SPOREGATE_BINARY_PREFIX: {
        listener_string_t prefix = string_of(test->value);
        content_test binary = {.tag = SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_BINARY_PREFIX};
        binary.val.binary_prefix = (listener_list_u8_t){prefix.ptr, prefix.len};
        return binary;
    }
    case SPOREGATE_JSON_EXISTS:
        return json_test(SPOREGATE_GATEWAY_LISTENERS_JSON_TEST_EXISTS, test);
    case SPOREGATE_JSON_EQUALS:
        return json_test(SPOREGATE_GATEWAY_LISTENERS_JSON_TEST_EQUALS, test);
    case SPOREGATE_JSON_ONE_OF:
        return json_test(SPOREGATE_GATEWAY_LISTENERS_JSON_TEST_ONE_OF, test);
    }
    return (content_test){.tag = SPOREGATE_GATEWAY_LISTENERS_CONTENT_TEST_IS_TEXT};
}

sporegate_result sporegate_listen(sporegate_str name, const sporegate_matcher *matcher,
                                  int32_t priority) {
    sporegate_gateway_listeners_message_matcher_t wanted = {0};
    if (matcher != NULL) {
        wanted.path.is_some = matcher->path.ptr != NULL;
        wanted.path.val = string_of(matcher->path);
        wanted.roles = sporegate_strings_of(matcher->roles, matcher->role_count);
        wanted.content.len = matcher->test_count;
        wanted.content.ptr = sporegate_alloc(matcher->test_count * sizeof(content_test));
        for (size_t i = 0; i < matcher->test_count; i++) {
            wanted.content.ptr[i] = content_test_of(&matcher->tests[i]);
        }
    }
    listener_string_t listener = string_of(name);
    sporegate_gateway_types_error_t error;
    return sporegate_result_of(sporegate_gateway_listeners_add_message_listener(
                                   &listener, &wanted, priority, &error),
                               &error);
}

sporegate_result sporegate_unlisten(sporegate_str name) {
    listener_string_t listener = string_of(name);
    sporegate_gateway_types_error_t error;
    return sporegate_result_of(
        sporegate_gateway_listeners_remove_message_listener(&listener, &error), &error);
}

sporegate_result sporegate_listen_for_disconnects(sporegate_str name, sporegate_str path) {
    listener_string_t listener = string_of(name), pattern = string_of(path);
    sporegate_gateway_types_error_t error;
    return sporegate_result_of(sporegate_gateway_listeners_add_disconnect_listener(
                                   &listener, path.ptr == NULL ? NULL : &pattern, &error),
                               &error);
}

sporegate_result sporegate_unlisten_for_disconnects(sporegate_str name) {
    listener_string_t listener = string_of(name);
    sporegate_gateway_types_error_t error;
    return sporegate_result_of(
        sporegate_gateway_listeners_remove_disconnect_listener(&listener, &error), &error);
}
