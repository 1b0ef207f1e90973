/* Everybody who is connected to a path hears what is said there. */
#include <sporegate.h>

#define S SPOREGATE_STR

sporegate_result sporegate_start(void) {
    /* Evaluated by the gateway: other messages never enter this module. */
    sporegate_test say = {.kind = SPOREGATE_JSON_EQUALS, .pointer = S("/type"), .value = S("\"say\"")};
    sporegate_matcher matcher = {.tests = &say, .test_count = 1};
    return sporegate_listen(S("say"), &matcher, 0);
}

sporegate_result sporegate_on_message(const sporegate_message_event *event) {
    const sporegate_client *client = &event->client;
    sporegate_str value = sporegate_json_get(sporegate_json_parse(event->message.data), S("text"));
    sporegate_str text = sporegate_json_text(value);
    if (text.ptr == NULL) {
        return sporegate_fail(S("there is no `text`"));
    }
    sporegate_buf said = {0};
    sporegate_json_open(&said, '{');
    sporegate_json_put_string(&said, S("type"), S("said"));
    sporegate_json_put_string(&said, S("who"), client->username.ptr ? client->username : S("somebody"));
    sporegate_json_put_string(&said, S("text"), text);
    sporegate_json_close(&said, '}');
    return sporegate_broadcast_text(sporegate_on_path(client->connect_path), sporegate_view(&said))
               ? SPOREGATE_STOP
               : SPOREGATE_FAILED;
}
