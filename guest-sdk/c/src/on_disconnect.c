#include "sporegate.h"

/* For listeners that have none of their own. */
__attribute__((weak)) sporegate_result
sporegate_on_disconnect(const sporegate_disconnect_event *event) {
    (void)event;
    return SPOREGATE_OK;
}
