#include "convert.h"

listener_list_string_t sporegate_strings_of(const sporegate_str *texts, size_t count) {
    listener_list_string_t strings = {NULL, count};
    if (count > 0) {
        strings.ptr = sporegate_alloc(count * sizeof *strings.ptr);
    }
    for (size_t i = 0; i < count; i++) {
        strings.ptr[i] = string_of(texts[i]);
    }
    return strings;
}

sporegate_client sporegate_client_of(const sporegate_gateway_types_client_t *client) {
    sporegate_str *roles = NULL;
    if (client->roles.len > 0) {
        roles = sporegate_alloc(client->roles.len * sizeof *roles);
    }
    for (size_t i = 0; i < client->roles.len; i++) {
        roles[i] = str_of(client->roles.ptr[i]);
    }
    return (sporegate_client){
        .id = str_of(client->id),
        .connect_path = str_of(client->connect_path),
        .username = str_or_none(client->username),
        .roles = roles,
        .role_count = client->roles.len,
    };
}
