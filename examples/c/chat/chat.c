/* Chat rooms: everybody who is connected to /chat/{room} is in that room. */
#include <sporegate.h>

#define S SPOREGATE_STR
#define ROOMS S("/chat/{room}")

sporegate_result sporegate_start(void) {
    sporegate_matcher rooms = {.path = ROOMS};
    return sporegate_listen(S("chat"), &rooms, 0) &&
                   sporegate_listen_for_disconnects(S("farewell"), ROOMS)
               ? SPOREGATE_OK
               : SPOREGATE_FAILED;
}

static sporegate_str name_of(const sporegate_client *client) {
    return client->username.ptr != NULL ? client->username : S("somebody");
}

static void begin(sporegate_buf *notice, sporegate_str type) {
    sporegate_json_open(notice, '{');
    sporegate_json_put_string(notice, S("type"), type);
}

static sporegate_result to_everybody(const sporegate_client *client, sporegate_buf *notice) {
    sporegate_json_close(notice, '}');
    return sporegate_broadcast_text(sporegate_on_path(client->connect_path),
                                    sporegate_view(notice));
}

static sporegate_result to_sender(const sporegate_message_event *event, sporegate_buf *notice) {
    sporegate_json_close(notice, '}');
    return sporegate_reply_text(event, sporegate_view(notice));
}

static sporegate_result join(const sporegate_message_event *event) {
    sporegate_buf notice = {0};
    begin(&notice, S("joined"));
    sporegate_json_put_string(&notice, S("who"), name_of(&event->client));
    sporegate_json_put_string(&notice, S("room"), sporegate_path_param(event, S("room")));
    return to_everybody(&event->client, &notice);
}

static sporegate_result say(const sporegate_message_event *event, sporegate_str text) {
    sporegate_buf notice = {0};
    begin(&notice, S("said"));
    sporegate_json_put_string(&notice, S("who"), name_of(&event->client));
    sporegate_json_put_string(&notice, S("text"), text);
    return to_everybody(&event->client, &notice);
}

static sporegate_result who(const sporegate_message_event *event) {
    sporegate_buf notice = {0};
    begin(&notice, S("present"));
    sporegate_json_key(&notice, S("who"));
    sporegate_json_open(&notice, '[');
    sporegate_clients present = sporegate_clients_on_path(event->client.connect_path);
    sporegate_client client;
    while (sporegate_next(&present, &client)) {
        sporegate_json_string(&notice, name_of(&client));
    }
    sporegate_json_close(&notice, ']');
    return present.failed ? SPOREGATE_FAILED : to_sender(event, &notice);
}

static sporegate_result complain(const sporegate_message_event *event, sporegate_str problem) {
    sporegate_buf notice = {0};
    begin(&notice, S("error"));
    sporegate_json_put_string(&notice, S("problem"), problem);
    return to_sender(event, &notice);
}

static sporegate_result answer(const sporegate_message_event *event) {
    if (event->message.kind != SPOREGATE_TEXT) {
        return complain(event, S("a request is text"));
    }
    sporegate_str request = sporegate_json_parse(event->message.data);
    if (request.ptr == NULL) {
        return complain(event, sporegate_last_error().text);
    }
    sporegate_str type = sporegate_json_text(sporegate_json_get(request, S("type")));
    if (sporegate_equal(type, S("join"))) {
        return join(event);
    }
    if (sporegate_equal(type, S("say"))) {
        sporegate_str text = sporegate_json_text(sporegate_json_get(request, S("text")));
        return text.ptr != NULL ? say(event, text) : complain(event, S("say needs a text"));
    }
    if (sporegate_equal(type, S("who"))) {
        return who(event);
    }
    if (sporegate_equal(type, S("leave"))) {
        return sporegate_close(event->client.id, 1000, S("see you"));
    }
    return complain(event, S("the type is none of join, say, who and leave"));
}

sporegate_result sporegate_on_message(const sporegate_message_event *event) {
    return answer(event) ? SPOREGATE_STOP : SPOREGATE_FAILED;
}

sporegate_result sporegate_on_disconnect(const sporegate_disconnect_event *event) {
    sporegate_buf notice = {0};
    begin(&notice, S("left"));
    sporegate_json_put_string(&notice, S("who"), name_of(&event->client));
    return to_everybody(&event->client, &notice);
}
