/* Answers every message with itself: text as text, binary as binary. */
#include <sporegate.h>

sporegate_result sporegate_start(void) {
    return sporegate_listen(SPOREGATE_STR("echo"), NULL, 0);
}

sporegate_result sporegate_on_message(const sporegate_message_event *event) {
    return sporegate_reply(event, event->message) ? SPOREGATE_STOP : SPOREGATE_FAILED;
}
