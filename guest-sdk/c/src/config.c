#include "convert.h"

sporegate_result sporegate_config(sporegate_str key, sporegate_str *value) {
    listener_string_t wanted = string_of(key);
    listener_option_string_t found;
    wasi_config_store_error_t error;
    if (!wasi_config_store_get(&wanted, &found, &error)) {
        bool upstream = error.tag == WASI_CONFIG_STORE_ERROR_UPSTREAM;
        return sporegate_fail(str_of(upstream ? error.val.upstream : error.val.io));
    }
    *value = str_or_none(found);
    return SPOREGATE_OK;
}
