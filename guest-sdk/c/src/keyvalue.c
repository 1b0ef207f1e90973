#include "convert.h"

typedef wasi_keyvalue_store_own_bucket_t bucket;

static sporegate_result fail(const wasi_keyvalue_store_error_t *error, sporegate_str name) {
    sporegate_buf text = {0};
    sporegate_add(&text, SPOREGATE_STR("bucket "));
    sporegate_add(&text, name);
    switch (error->tag) {
    case WASI_KEYVALUE_STORE_ERROR_NO_SUCH_STORE:
        sporegate_add(&text, SPOREGATE_STR(": no-such-store"));
        return sporegate_fail_with(SPOREGATE_NOT_FOUND, sporegate_view(&text));
    case WASI_KEYVALUE_STORE_ERROR_ACCESS_DENIED:
        sporegate_add(&text, SPOREGATE_STR(": access-denied"));
        return sporegate_fail_with(SPOREGATE_DENIED, sporegate_view(&text));
    default:
        sporegate_add(&text, SPOREGATE_STR(": "));
        sporegate_add(&text, str_of(error->val.other));
        return sporegate_fail(sporegate_view(&text));
    }
}

static bool open_bucket(sporegate_str name, bucket *opened) {
    listener_string_t identifier = string_of(name);
    wasi_keyvalue_store_error_t error;
    bool ok = wasi_keyvalue_store_open(&identifier, opened, &error);
    return ok || fail(&error, name);
}

/* Gives the bucket back, and what came of it. */
static sporegate_result done(bucket opened, bool ok, const wasi_keyvalue_store_error_t *error,
                             sporegate_str name) {
    wasi_keyvalue_store_bucket_drop_own(opened);
    return ok ? SPOREGATE_OK : fail(error, name);
}

sporegate_result sporegate_kv_get(sporegate_str name, sporegate_str key, sporegate_str *value) {
    bucket opened;
    if (!open_bucket(name, &opened)) {
        return SPOREGATE_FAILED;
    }
    listener_string_t wanted = string_of(key);
    listener_option_list_u8_t found;
    wasi_keyvalue_store_error_t error;
    bool ok = wasi_keyvalue_store_method_bucket_get(wasi_keyvalue_store_borrow_bucket(opened),
                                                    &wanted, &found, &error);
    if (ok && found.is_some) {
        *value = (sporegate_str){(const char *)found.val.ptr, found.val.len};
    } else {
        *value = (sporegate_str){NULL, 0};
    }
    return done(opened, ok, &error, name);
}

sporegate_result sporegate_kv_set(sporegate_str name, sporegate_str key, sporegate_str value) {
    bucket opened;
    if (!open_bucket(name, &opened)) {
        return SPOREGATE_FAILED;
    }
    listener_string_t wanted = string_of(key), bytes = string_of(value);
    listener_list_u8_t data = {bytes.ptr, bytes.len};
    wasi_keyvalue_store_error_t error;
    bool ok = wasi_keyvalue_store_method_bucket_set(wasi_keyvalue_store_borrow_bucket(opened),
                                                    &wanted, &data, &error);
    return done(opened, ok, &error, name);
}

sporegate_result sporegate_kv_delete(sporegate_str name, sporegate_str key) {
    bucket opened;
    if (!open_bucket(name, &opened)) {
        return SPOREGATE_FAILED;
    }
    listener_string_t wanted = string_of(key);
    wasi_keyvalue_store_error_t error;
    bool ok = wasi_keyvalue_store_method_bucket_delete(wasi_keyvalue_store_borrow_bucket(opened),
                                                       &wanted, &error);
    return done(opened, ok, &error, name);
}
